"""Names, by culture, commonest first. Written for this sandbox; no list of real persons stands behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Culture:
    """Where names come from; `share` is the culture's part of the population."""

    name: str
    share: float
    female: tuple[str, ...]
    male: tuple[str, ...]
    families: tuple[str, ...]


def _culture(name: str, share: float, female: str, male: str, families: str) -> Culture:
    return Culture(name, share, tuple(female.split()), tuple(male.split()), tuple(families.split()))


CULTURES: tuple[Culture, ...] = (
    _culture(
        "british",
        0.60,
        """Margaret Susan Sarah Emma Elizabeth Jennifer Helen Karen Claire Rebecca Laura Patricia Charlotte Catherine
        Amanda Jane Nicola Alison Victoria Samantha Lucy Rachel Hannah Katherine Deborah Jessica Sophie Lisa Julie Emily
        Linda Christine Jacqueline Alexandra Louise Amy Anne Olivia Amelia Grace Isabella Eleanor Abigail Barbara
        Theresa Dorothy Heather Fiona Georgina Josephine Stephanie Natalie Joanna Caroline Philippa Harriet Imogen Molly
        Poppy Freya Matilda Rosemary Marion Sheila Maureen Bridget Siobhan Rhiannon Bethany Gemma Kerry Tracey Donna
        Sandra Pamela Valerie Hilary Beverley Annabel Beatrice Florence Ivy Zara Erin Megan Lauren Chloe Holly Naomi
        Miriam Ruth Frances Penelope Rosalind Cordelia Winifred Ingrid Tamsin""",
        """David John Michael James Robert William Thomas Andrew Peter Richard Paul Christopher Stephen Matthew Daniel
        Mark Anthony Edward Jonathan Benjamin Joseph Samuel Alexander Simon Nicholas Kevin Philip Timothy Charles
        George Alan Ian Graham Kenneth Martin Geoffrey Patrick Gregory Ronald Donald Frederick Harry Oliver Jack Jacob
        Leonard Raymond Gareth Nigel Trevor Stuart Douglas Malcolm Gordon Callum Ryan Luke Adam Nathan Joshua Ethan
        Lewis Dominic Vincent Lawrence Arthur Albert Henry Theodore Maxwell Zachary Oscar Toby Rory Angus Hamish Duncan
        Declan Connor Rhys Owen Dylan Evan Gavin Craig Barry Dennis Clive Neville Rupert Julian Adrian Terence Howard
        Walter Edwin Hugo Felix Barnaby Jasper Silas""",
        """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patterson Wright Walker White Thompson Hughes Edwards
        Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Scott Cooper Morris Ward Moore King Watson
        Baker Harrison Morgan Allen James Scott Phillips Campbell Parker Bennett Evans Young Price Robinson Griffiths
        Mitchell Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Marshall Simpson Anderson
        Adams Wilkinson Foster Ellis Murray Chapman Mason Gray Richards Webb Rogers Hunt Palmer Holmes Mills Lloyd
        Barker Knight Matthews Stevens Fisher Barnes Russell Butler Fletcher Harvey Dixon Pearson Graham Reynolds Ford
        Gibson Walsh Grant Howard Hart Fox Elliott Reid Byrne Sutton Hargreaves Thackeray Lister Farquhar Whitfield
        Ashworth Pemberton Tunnicliffe Entwistle Braithwaite Cholmondeley Featherstone Garside Hebblethwaite Kershaw
        Lockwood Marsden Nuttall Ollerenshaw Postlethwaite Quigley Ramsbottom Satterthwaite Thistlewood Uttley Verity
        Wolstenholme Yardley Birtwistle Crabtree Duckworth Eastwood Fairclough Greenhalgh Holroyd Illingworth Jowett
        Macdonald Stewart Robertson Cameron Mackenzie Fraser Sinclair Drummond Buchanan Gallacher O'Brien O'Connor
        O'Neill Doyle Gallagher Fitzgerald McCarthy Kavanagh Sheridan Llewellyn Bevan Pritchard Vaughan Trevelyan
        Penrose Tregenza""",
    ),
    _culture(
        "south_asian",
        0.10,
        """Priya Aisha Fatima Anjali Sunita Nadia Meera Pooja Shazia Rukhsana Deepa Kavita Saima Zainab Neha Lakshmi
        Farah Ayesha Rekha Simran Harpreet Jaspreet Tahira Nasreen Divya Sangeeta Rani Maryam Amrita Shreya""",
        """Mohammed Imran Ravi Amit Sanjay Rajesh Bilal Arjun Vikram Hassan Anil Tariq Nikhil Suresh Kamran Rohan Asif
        Gurpreet Manpreet Deepak Faisal Haroon Kiran Naveed Pradeep Sunil Usman Vijay Yusuf Zeeshan""",
        """Patel Khan Singh Ahmed Kaur Hussain Ali Begum Shah Sharma Malik Iqbal Mahmood Gupta Kumar Raman Chowdhury
        Bhatt Mistry Sandhu Gill Dhillon Rahman Chaudhry Qureshi Akhtar Mehta Desai Joshi Reddy Nair Iyer Banerjee
        Mukherjee Siddiqui Mirza Rashid Rao Sethi Bajwa""",
    ),
    _culture(
        "african",
        0.05,
        """Ngozi Amara Chioma Folake Adaeze Yewande Abena Akosua Efua Ama Nneka Blessing Comfort Patience Thandiwe
        Zainabu Wanjiku Temitope Ifeoma Oluwaseun""",
        """Chidi Emeka Kwame Kofi Tunde Babatunde Olumide Segun Ikenna Obinna Kwabena Yaw Femi Ade Themba Sipho Kamau
        Chukwudi Oluwaseyi Ayodele""",
        """Okafor Adebayo Mensah Osei Boateng Owusu Eze Nwosu Okonkwo Adeyemi Balogun Asante Appiah Ogunleye Ibrahim
        Abubakar Dlamini Moyo Ndlovu Mwangi Kamara Sesay Conteh Afolabi Olawale Amoah Nkrumah Achebe Bello Danso""",
    ),
    _culture(
        "polish",
        0.05,
        """Agnieszka Katarzyna Małgorzata Magdalena Joanna Ewa Monika Karolina Zofia Dorota Beata Iwona Aleksandra
        Jolanta
        Kinga""",
        """Łukasz Piotr Krzysztof Tomasz Paweł Marcin Michał Grzegorz Wojciech Rafał Jarosław Sławomir Andrzej Marek
        Zbigniew""",
        """Kowalski Nowak Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski
        Jabłoński Król Wróbel Żółciński Gołębiowski Śliwiński Michałowski Pawłowski Łuczak""",
    ),
    _culture(
        "german",
        0.02,
        "Anja Birgit Käthe Ulrike Jutta Heike Sabine Renate Bärbel Gisela Annegret Katrin",
        "Jürgen Günther Matthias Klaus Jörg Wolfgang Björn Uwe Stefan Götz Dieter Rüdiger",
        """Müller Schröder Köhler Krüger Schäfer Böhm Weiß Lehmann Fischer Voigt Günther Jäger Schütz Hübner Brandt
        Größer""",
    ),
    _culture(
        "hispanic",
        0.06,
        """Maria Carmen Lucia Ana Isabel Pilar Rosa Elena Beatriz Inés Paula Sofía Marta Valentina Camila Guadalupe
        Concepción Teresa Raquel Ximena""",
        """José Juan Carlos Antonio Francisco Manuel Javier Miguel Rafael Alejandro Jesús Diego Andrés Pablo Sergio
        Ramón Mateo Joaquín Enrique Álvaro""",
        """Garcia Rodriguez Martinez Lopez Gonzalez Hernandez Perez Sanchez Ramirez Torres Flores Rivera Gomez Diaz
        Vasquez Sandoval Ortega Castellano Muñoz Núñez Peña Ibáñez Zuniga Medina Herrera Cordero""",
    ),
    _culture(
        "east_asian",
        0.035,
        """Mei Ling Xiu Yan Hui Jing Yuki Haruka Sakura Aiko Min-ji Soo-jin Thuy Linh Huong Lan Xiaoyan Wei-Ting""",
        """Wei Jun Ming Hao Jian Lei Haruki Kenji Takeshi Hiroshi Min-jun Ji-hoon Duc Tuan Quang Minh Zhiwei
        Chun-Hei""",
        """Wong Chan Lee Chen Wang Li Zhang Liu Lam Cheung Tanaka Suzuki Watanabe Yamamoto Kim Park Choi Nguyen Tran
        Pham
        Le Huang Zhao Ng Ho""",
    ),
    _culture(
        "middle_eastern",
        0.04,
        """Layla Yasmin Noor Leila Zeynep Elif Ayşe Fatma Shirin Maryam Samira Rania Hala Dina Salma Nesrin""",
        """Ahmad Omar Ali Hassan Khaled Mehmet Mustafa Emre Reza Karim Samir Tarek Yusuf Amir Ziad Çağlar""",
        """Haddad Khalil Nasser Mansour Elmasri Saleh Aziz Farouk Demir Kaya Çelik Şahin Öztürk Hosseini Karimi Rahimi
        Tehrani Shaheen Barakat Najjar""",
    ),
    _culture(
        "slavic",
        0.025,
        "Olga Natalia Tatiana Elena Irina Svetlana Anna Maria Ekaterina Julia Marina Vera",
        "Dmitry Ivan Sergei Alexei Mikhail Andrei Nikolai Vladimir Pavel Boris Oleg Viktor",
        "Ivanov Petrov Sokolov Popov Volkov Orlov Morozov Pavlov Kozlov Novikov Melnik Bondar Romanov Fedorov",
    ),
    _culture(
        "romance",
        0.02,
        "Giulia Francesca Chiara Aurélie Camille Céline Élodie Margaux Paola Silvia Mónica Ioana",
        "Giovanni Marco Luca Matteo Étienne François Jérôme Benoît Alessandro Paolo Andrei Nuno",
        "Rossi Ferrari Esposito Bianchi Romano Dubois Lefèvre Moreau Fournier Girard Silva Santos Ferreira Popescu",
    ),
)

NICKNAMES: dict[str, tuple[str, ...]] = {
    "Margaret": ("Maggie", "Peggy"),
    "Susan": ("Sue", "Suzie"),
    "Elizabeth": ("Liz", "Beth", "Lizzie"),
    "Jennifer": ("Jen", "Jenny"),
    "Rebecca": ("Becky",),
    "Patricia": ("Pat", "Trish"),
    "Charlotte": ("Charlie", "Lottie"),
    "Catherine": ("Cathy", "Kate"),
    "Katherine": ("Kate", "Kathy", "Katie"),
    "Amanda": ("Mandy",),
    "Nicola": ("Nicky",),
    "Victoria": ("Vicky", "Tori"),
    "Samantha": ("Sam",),
    "Deborah": ("Debbie", "Deb"),
    "Jessica": ("Jess",),
    "Emily": ("Em",),
    "Christine": ("Chris", "Chrissie"),
    "Jacqueline": ("Jackie",),
    "Alexandra": ("Alex", "Sandra"),
    "Eleanor": ("Ellie", "Nell"),
    "Abigail": ("Abby",),
    "Barbara": ("Barb", "Babs"),
    "Theresa": ("Terri", "Tess"),
    "Dorothy": ("Dot", "Dotty"),
    "Georgina": ("Georgie",),
    "Josephine": ("Jo", "Josie"),
    "Stephanie": ("Steph",),
    "Natalie": ("Nat",),
    "Joanna": ("Jo",),
    "Philippa": ("Pippa",),
    "Matilda": ("Tilly",),
    "Bethany": ("Beth",),
    "Pamela": ("Pam",),
    "Sandra": ("Sandy",),
    "Penelope": ("Penny",),
    "Isabella": ("Bella", "Izzy"),
    "David": ("Dave",),
    "Michael": ("Mike", "Mick"),
    "James": ("Jim", "Jamie"),
    "Robert": ("Bob", "Rob", "Bobby"),
    "William": ("Bill", "Will", "Billy"),
    "Thomas": ("Tom",),
    "Andrew": ("Andy", "Drew"),
    "Peter": ("Pete",),
    "Richard": ("Rick", "Dick"),
    "Christopher": ("Chris",),
    "Stephen": ("Steve",),
    "Matthew": ("Matt",),
    "Daniel": ("Dan", "Danny"),
    "Anthony": ("Tony",),
    "Edward": ("Ed", "Ted", "Eddie"),
    "Jonathan": ("Jon",),
    "Benjamin": ("Ben",),
    "Joseph": ("Joe",),
    "Samuel": ("Sam",),
    "Alexander": ("Alex", "Sandy"),
    "Nicholas": ("Nick",),
    "Philip": ("Phil",),
    "Timothy": ("Tim",),
    "Charles": ("Charlie", "Chuck"),
    "Kenneth": ("Ken",),
    "Geoffrey": ("Geoff",),
    "Patrick": ("Paddy", "Pat"),
    "Gregory": ("Greg",),
    "Ronald": ("Ron",),
    "Donald": ("Don",),
    "Frederick": ("Fred", "Freddie"),
    "Leonard": ("Len",),
    "Raymond": ("Ray",),
    "Douglas": ("Doug",),
    "Joshua": ("Josh",),
    "Lawrence": ("Larry",),
    "Albert": ("Bert", "Al"),
    "Theodore": ("Theo", "Ted"),
    "Zachary": ("Zach",),
    "Terence": ("Terry",),
    "Francisco": ("Paco",),
    "Antonio": ("Toni",),
    "Alejandro": ("Alex",),
    "Guadalupe": ("Lupe",),
    "Alexei": ("Alyosha",),
    "Aleksandra": ("Ola",),
    "Katarzyna": ("Kasia",),
    "Małgorzata": ("Gosia",),
    "Krzysztof": ("Krzysiek",),
    "Oluwaseun": ("Seun",),
    "Babatunde": ("Tunde",),
    "Mohammed": ("Mo",),
}

CYRILLIC: dict[str, str] = {
    "Olga": "Ольга",
    "Natalia": "Наталья",
    "Tatiana": "Татьяна",
    "Elena": "Елена",
    "Irina": "Ирина",
    "Svetlana": "Светлана",
    "Anna": "Анна",
    "Maria": "Мария",
    "Ekaterina": "Екатерина",
    "Julia": "Юлия",
    "Marina": "Марина",
    "Vera": "Вера",  # noqa: RUF001
    "Dmitry": "Дмитрий",
    "Ivan": "Иван",
    "Sergei": "Сергей",
    "Alexei": "Алексей",
    "Mikhail": "Михаил",
    "Andrei": "Андрей",
    "Nikolai": "Николай",
    "Vladimir": "Владимир",
    "Pavel": "Павел",
    "Boris": "Борис",
    "Oleg": "Олег",
    "Viktor": "Виктор",
    "Ivanov": "Иванов",
    "Petrov": "Петров",
    "Sokolov": "Соколов",
    "Popov": "Попов",
    "Volkov": "Волков",
    "Orlov": "Орлов",
    "Morozov": "Морозов",
    "Pavlov": "Павлов",
    "Kozlov": "Козлов",
    "Novikov": "Новиков",
    "Melnik": "Мельник",
    "Bondar": "Бондарь",
    "Romanov": "Романов",
    "Fedorov": "Фёдоров",
}

"""The identity report: what a model does to a base, as pictures and figures, without any customer's data.

figures.py   what is shown, as plain values
plots.py     figures -> PNG, drawn by matplotlib
page.py      figures and pictures -> one HTML page that stands alone
"""

from identity.report.figures import BlockLine, Figures, Point, Weights
from identity.report.page import page_of
from identity.report.plots import draw

__all__ = ["BlockLine", "Figures", "Point", "Weights", "draw", "page_of"]

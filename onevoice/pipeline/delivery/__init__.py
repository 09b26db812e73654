"""What vendors' records should hold, and how it gets there: plans, their brakes, pushes, reading back, taking back."""

"""Each claim of the papers as matched networks, and its verdict.

pages/        the principles, one page a family; a new page is a new file
principle.py  a claim, its arms, and the bounds that would hold if it were true
canvas.py     the scale all arms are drawn at, and widths solved by the cost model
counts.py     claims about costs, decided by counting
family.py     a study of many principles as a TOML file
plan.py       what has to be trained
runner.py     training it, resumable, no more than decides
statistics.py verdict.py reading.py    from results to verdicts
population.py networks drawn from spaces that differ in one principle
evidence.py   what finished searches say, observational
"""

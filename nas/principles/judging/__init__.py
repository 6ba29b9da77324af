"""From claims and results to verdicts.

statistics < power < plan           tests, power, and the trainings that the claims need
results < verdict, comparison       contrasts over seeds, verdicts, and populations compared
misclassified < study_results       the results of a run directory, and all its verdicts
evidence                            features of finished searches against their errors
"""

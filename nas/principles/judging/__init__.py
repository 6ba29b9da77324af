"""From claims and results to verdicts.

statistics < power < plan           tests, power, and the trainings that the claims need
results < verdict, comparison       contrasts over seeds, verdicts, and populations compared
misclassified < study_results       a run directory read back, judged as a whole
evidence                            features of finished searches against their errors
"""

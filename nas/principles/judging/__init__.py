"""From claims and results to verdicts.

statistics < power < plan       intervals, power, and the trainings that the claims need
results < verdict               contrasts over settings, and verdicts
study_results                   the results of run directories, and all their verdicts
evidence                        features of finished searches against their errors
"""

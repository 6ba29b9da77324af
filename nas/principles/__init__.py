"""Claims of the papers as matched networks, each with a verdict.

claims < study_file < judging < training

claims/         the principles, one file per topic; new files are discovered
study_file.py   a study of many principles as a TOML file
judging/        power before the trainings, verdicts after them, evidence from finished searches
training/       a resumable runner that trains no more than decides the claims
"""

"""Contract tests: what an op, sampler, executor, objective or reader promises, as functions for any test runner."""

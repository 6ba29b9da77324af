"""Contract tests: what a reader, sampler, objective or executor promises, as plain functions for any test runner."""

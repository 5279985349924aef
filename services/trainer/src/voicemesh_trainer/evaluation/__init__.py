"""Tests of models on prompts with expected answers.

- `scoring`: how near an answer comes to what was expected (pure).
- `judging`: what a judge model is asked, and what it said (pure).
- `totals`: the scores of a model over all cases (pure).
- `evaluator`: asks the models, with as many questions at once as it may.
"""

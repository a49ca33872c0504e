"""ML-Poly from the paper, in exact rational arithmetic, for services/learning/ml-poly.test.ts.

Gaillard, Stoltz and van Erven, "A second-order bound with excess losses", COLT 2014, figure 2, with the learning rates of
theorem 5: eta[k] = 1 / (1 + sum of r[k]^2). Run: python3 test/learning/ml_poly.py > test/learning/ml-poly-vectors.json
"""

import json
import random
from fractions import Fraction


def mixture(regrets, squares):
    parts = [max(r, 0) / (1 + s) for r, s in zip(regrets, squares)]
    total = sum(parts)
    return [p / total for p in parts] if total > 0 else [Fraction(1, len(parts))] * len(parts)


def run(losses):
    """The weights before each round, and after the last one."""
    teachers = len(losses[0])
    regrets, squares = [Fraction(0)] * teachers, [Fraction(0)] * teachers
    weights = [mixture(regrets, squares)]
    for row in losses:
        mean = sum(w * loss for w, loss in zip(weights[-1], row))
        for k, loss in enumerate(row):
            regrets[k] += mean - loss
            squares[k] += (mean - loss) ** 2
        # Rounded, because the fractions would grow without limit; far more exact than binary64.
        regrets = [Fraction(round(r * 2**200), 2**200) for r in regrets]
        squares = [Fraction(round(s * 2**200), 2**200) for s in squares]
        weights.append(mixture(regrets, squares))
    return weights


def main():
    random.seed(17)
    cases = []
    for teachers, rounds in [(2, 12), (3, 40), (5, 25)]:
        skill = [random.random() for _ in range(teachers)]
        losses = [[Fraction(round(256 * random.random() * s), 256) for s in skill] for _ in range(rounds)]
        weights = run(losses)
        cases.append({
            "losses": [[float(loss) for loss in row] for row in losses],
            "weights": [[float(w) for w in row] for row in weights],
        })
    print(json.dumps(cases))


main()

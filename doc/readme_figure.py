"""Draw the figure of README.md, from the demo's own functions: ``python doc/readme_figure.py``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "examples"))

import demo  # noqa: E402  (this also chooses the backend that needs no display)
import matplotlib.pyplot as plt  # noqa: E402
from PIL import Image  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

plt.style.use(demo.STYLE)
job = next(demo.jobs())._replace(title="Diabetes")
X, _, y, _ = train_test_split(job.X, job.y, random_state=8)
mean, error = demo.search(job, X, y)
column = list(demo.PENALTIES).index("L1")
figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.4), width_ratios=[1, 0.85])
demo.draw_validation_curve(left, job, "L1", mean[:, column], error[:, column])
demo.draw_weights(right, job, "L1", job.alphas[mean[:, column].argmax()], X, y)
left.set_title("Find the alpha that is just right ...")
right.set_title("... and see what it does to each weight")
path = HERE / "_static" / "readme.png"
figure.savefig(path, dpi=120)
Image.open(path).quantize(64).save(path, optimize=True)  # a third of the size, and no difference to be seen

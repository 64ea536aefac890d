"""The directive ``.. slider:: page``: a place for a slider, and the numbers that it shows, computed by skreg."""

import student
from docutils import nodes
from docutils.parsers.rst import Directive

FOLDER = "understand/"


class Slider(Directive):
    """Its content describes the picture, for those who cannot see it move."""

    required_arguments = 1
    has_content = True

    def run(self):
        """The element that ``_static/sliders.js`` fills."""
        name = self.arguments[0]
        numbers = student.as_json(name).replace("<", "\\u003c")
        text = " ".join(self.content)
        html = (
            f'<div class="slider" id="slider-{name}" data-slider="{name}" role="group" aria-label="{text}">'
            f'<script type="application/json">{numbers}</script>'
            f"<noscript><p>{text} (This picture moves where JavaScript is allowed.)</p></noscript></div>"
        )
        return [nodes.raw("", html, format="html")]


def load_script(app, pagename, templatename, context, doctree):
    """Only these pages need the script."""
    if pagename.startswith(FOLDER):
        app.add_js_file("sliders.js", loading_method="defer")


def setup(app):
    """Called by Sphinx."""
    app.add_directive("slider", Slider)
    app.connect("html-page-context", load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

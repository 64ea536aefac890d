"""The one table of public names. The API pages are written from it, and a test compares it with the package."""

TABLE = [
    (
        "Estimators",
        "They fit, predict and are tuned like any estimator of scikit-learn.",
        "skreg",
        [
            "PenalizedRegression",
            "PenalizedLogisticRegression",
            "PenalizedRegressionCV",
            "PenalizedLogisticRegressionCV",
            "Reweighted",
        ],
    ),
    (
        "Paths",
        "The same model at many strengths of the penalty.",
        "skreg",
        ["regularization_path", "RegularizationPath"],
    ),
    (
        "Penalties",
        "What a weight costs. Each has a name (``penalty='l1'``) and a class; your own is a subclass of ``Penalty``.",
        "skreg",
        ["L1", "L2", "ElasticNet", "MCP", "SCAD", "LogSum", "Lq", "L0"]
        + ["SLOPE", "FusedLasso", "TrendFilter", "GeneralizedRidge", "NuclearNorm", "Penalty"],
    ),
    (
        "Penalties on groups",
        "A group of features, or a feature for all outputs, is in the model or out of it as a whole.",
        "skreg",
        ["GroupLasso", "SparseGroupLasso", "GroupMCP", "GroupSCAD", "Grouped", "L21"],
    ),
    (
        "Constraints",
        "Free inside, forbidden outside, at every alpha.",
        "skreg",
        ["NonNegative", "Box", "Simplex", "L1Ball", "L2Ball", "Monotone"],
    ),
    (
        "New penalties from old ones",
        "A multiple, a sum with ridge, bounds, and another penalty for each set of columns.",
        "skreg",
        ["Scaled", "WithSquare", "Bounded", "ByColumn"],
    ),
    (
        "Losses",
        "What a wrong prediction costs. Your own is a subclass of ``Loss``.",
        "skreg",
        ["Squared", "Logistic", "Softmax", "Loss"],
    ),
    (
        "What happens in a fit",
        "What the estimators work out by themselves, to look at and to build on: the certificate, the range of alpha, the solver.",
        "skreg",
        ["Objective", "Optimality", "alpha_max", "fastest_solver", "compile_prox", "make_problem", "Problem"],
    ),
    (
        "From and to other libraries",
        "The same strength in the words of scikit-learn, glmnet and others.",
        "skreg",
        ["convert_alpha", "from_sklearn", "Strength"],
    ),
    (
        "What the penalty does, in pictures and numbers",
        "Weight by weight, along alpha, and on data that the fit has not seen.",
        "skreg.inspection",
        [
            "explain_penalty",
            "PenaltyExplanation",
            "PenaltyDisplay",
            "RegularizationPathDisplay",
            "CrossValidationDisplay",
            "TradeoffDisplay",
        ],
    ),
    (
        "Checks for your own penalties and losses",
        "They say in words what is wrong, as scikit-learn's ``check_estimator`` does for estimators.",
        "skreg.testing",
        ["check_penalty", "check_loss", "parametrize_penalty_checks", "parametrize_loss_checks"],
    ),
    (
        "Names and objects",
        "From ``penalty='l1'`` to ``L1()``, and which names there are.",
        "skreg.penalties",
        ["get_penalty", "penalty_names", "NoPenalty"],
    ),
    ("", "", "skreg.losses", ["get_loss", "loss_names"]),
]


def names():
    """Every public name once, in full: ``skreg.L1`` and so on."""
    return [f"{module}.{name}" for _, _, module, entries in TABLE for name in entries]


def write(folder):
    """Write ``index.rst``, from which autosummary makes a page for each name."""
    lines = ["API reference", "=============", "", f"{len(names())} names, all of them public.", ""]
    for title, text, module, entries in TABLE:
        if title:
            lines += [title, "-" * len(title), "", text, ""]
        for template, wanted in (("class", str.isupper), ("function", str.islower)):
            chosen = [name for name in entries if wanted(name[0])]
            if chosen:
                lines += [f".. currentmodule:: {module}", "", ".. autosummary::", "   :toctree: generated/"]
                lines += [
                    "   :nosignatures:",
                    f"   :template: {template}.rst",
                    "",
                    *(f"   {name}" for name in chosen),
                    "",
                ]
    folder.mkdir(exist_ok=True)
    text = "\n".join(lines)
    page = folder / "index.rst"
    if not page.exists() or page.read_text(encoding="utf-8") != text:  # a page with a new date is built anew
        page.write_text(text, encoding="utf-8")

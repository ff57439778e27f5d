"""Each framework as it comes, but in float64: what a snippet starts from, whatever ran before it."""


def as_it_comes(framework: str) -> None:
    """Put what is global in a framework back to its defaults; the dtype of what is built is float64."""
    match framework:
        case "sklearn":
            import sklearn

            sklearn.set_config(skip_parameter_validation=False)
        case "keras":
            import keras

            keras.config.set_floatx("float64")
            keras.config.set_dtype_policy("float64")
            keras.config.set_epsilon(1e-7)
        case "torch":
            import torch

            torch.set_default_dtype(torch.float64)

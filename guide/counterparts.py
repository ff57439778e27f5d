"""What exists in more than one framework, and what it and its parameters are called in each.

Only names: no default is written here, `samestep defaults` reads them from what is installed.  A thing has
the name of Keras's class or function, or PyTorch's where Keras has none, or else scikit-learn's; so do its
parameters, by which cards refer to them: "Adam.epsilon".

Parameters of the same name correspond without being listed.  Listed are those that are called otherwise
somewhere, that mean something else, and those that a card may name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import final

from guide.card import FRAMEWORKS

ABSENT = ""  # in place of a name: whatever has this name there is something else
WITH_CONSTRUCTORS = tuple(name for name in FRAMEWORKS if name != "numpy")

# They decide nothing of what is computed, or are what it is computed from.
NO_SETTINGS = frozenset({
    "name", "dtype", "device", "verbose", "out", "scope", "seed", "random_state", "generator",
    "foreach", "fused", "capturable", "differentiable", "inplace", "use_locking", "unroll", "use_cudnn",
    "n_jobs", "copy_X", "num_workers", "pin_memory", "pin_memory_device", "prefetch_factor", "timeout",
    "persistent_workers", "multiprocessing_context", "worker_init_fn", "collate_fn", "in_order",
    "num_parallel_calls", "deterministic", "callbacks", "lora_rank", "lora_alpha", "quantization_config",
    "size_average", "reduce", "loss_collection", "accum_name", "linear_name",
    "use_own_namescope_for_non_slot_vars",
    "params", "parameters", "optimizer", "global_step", "last_epoch", "t_list", "tensor", "dataset",
    "sampler", "batch_sampler", "validation_data", "input", "input_tensor", "features", "t", "x", "x1", "x2",
    "y", "y_true", "y_pred", "target", "targets", "labels", "onehot_labels", "multi_class_labels", "logits",
    "predictions", "filter", "value", "weights", "sample_weight",
})  # fmt: skip


@final
@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter, and its name where that is another: "betas[0]" is the first element of a default."""

    name: str
    keras: str | None = None
    torch: str | None = None
    tensorflow: str | None = None
    sklearn: str | None = None
    alike: tuple[str, ...] = ()  # defaults, as Python writes them, that come to the same
    remarks: Mapping[str, str] = field(default_factory=dict)  # by framework: what it means there

    def called(self, framework: str) -> str:
        """Its name there, if it has it."""
        name: str | None = getattr(self, framework)
        return self.name if name is None else name


@final
@dataclass(frozen=True, eq=False)
class Counterpart:
    """One thing: its dotted name in each framework that has it, and its parameters."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    keras: str | None = None
    torch: str | None = None
    tensorflow: str | None = None
    sklearn: str | None = None
    # Here it is one of many things that a larger one does: only listed parameters belong to it.
    part_of_more: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Its dotted name by framework."""
        found = {framework: getattr(self, framework) for framework in WITH_CONSTRUCTORS}
        return {framework: name for framework, name in found.items() if name}


def same(*names: str) -> tuple[Parameter, ...]:
    """Parameters that have the same name wherever they are."""
    return tuple(Parameter(name) for name in names)


P = Parameter
TRAIN = "tensorflow.compat.v1.train"
V1 = "tensorflow.compat.v1"
MLP = "sklearn.neural_network.MLPClassifier"

RATE = P("learning_rate", torch="lr", sklearn="learning_rate_init")
EPSILON = P("epsilon", torch="eps")
BETA_1 = P("beta_1", torch="betas[0]", tensorflow="beta1")
BETA_2 = P("beta_2", torch="betas[1]", tensorflow="beta2")
NESTEROV = P("nesterov", tensorflow="use_nesterov", sklearn="nesterovs_momentum")
CLIPPING = same("clipnorm", "global_clipnorm", "clipvalue")
DECAY = P(
    "weight_decay",
    sklearn="alpha",
    alike=("None", "0"),
    remarks={
        "keras": "decoupled: subtracted from the parameters, times the learning rate",
        "torch": "coupled: added to the gradients, as an L2 penalty is",
        "sklearn": "an L2 penalty on kernels only, divided by the rows of the batch",
    },
)
DECOUPLED = P("weight_decay", alike=("None", "0"))  # subtracted from the parameters everywhere

OPTIMIZERS = (
    Counterpart(
        "SGD",
        (
            RATE,
            P("momentum", remarks={"tensorflow": "MomentumOptimizer, GradientDescentOptimizer has none"}),
            NESTEROV,
            DECAY,
            *same("dampening"),
            *CLIPPING,
            *same("gradient_accumulation_steps", "use_ema", "ema_momentum"),
        ),
        keras="keras.optimizers.SGD",
        torch="torch.optim.SGD",
        tensorflow=f"{TRAIN}.MomentumOptimizer",
        sklearn=MLP,
        part_of_more=("sklearn",),
    ),
    Counterpart(
        "RMSprop",
        (
            RATE,
            P("rho", torch="alpha", tensorflow="decay"),
            *same("momentum"),
            EPSILON,
            *same("centered"),
            DECAY,
        ),
        keras="keras.optimizers.RMSprop",
        torch="torch.optim.RMSprop",
        tensorflow=f"{TRAIN}.RMSPropOptimizer",
    ),
    Counterpart(
        "Adam",
        (RATE, BETA_1, BETA_2, EPSILON, *same("amsgrad"), DECAY, *same("decoupled_weight_decay"), *CLIPPING),
        keras="keras.optimizers.Adam",
        torch="torch.optim.Adam",
        tensorflow=f"{TRAIN}.AdamOptimizer",
        sklearn=MLP,
        part_of_more=("sklearn",),
    ),
    Counterpart(
        "AdamW",
        (RATE, DECOUPLED, BETA_1, BETA_2, EPSILON, *same("amsgrad")),
        keras="keras.optimizers.AdamW",
        torch="torch.optim.AdamW",
    ),
    Counterpart(
        "Nadam",
        (
            RATE,
            BETA_1,
            BETA_2,
            EPSILON,
            DECAY,
            P("momentum_decay", remarks={"keras": "1 by its formula: the schedule is 0.96^t"}),
            *same("decoupled_weight_decay"),
        ),
        keras="keras.optimizers.Nadam",
        torch="torch.optim.NAdam",
    ),
    Counterpart(
        "Adamax",
        (RATE, BETA_1, BETA_2, EPSILON, DECAY),
        keras="keras.optimizers.Adamax",
        torch="torch.optim.Adamax",
    ),
    Counterpart(
        "Adagrad",
        (
            RATE,
            *same("initial_accumulator_value"),
            EPSILON,
            P("lr_decay", remarks={"torch": "the rate is lr / (1 + t · lr_decay)"}),
            DECAY,
        ),
        keras="keras.optimizers.Adagrad",
        torch="torch.optim.Adagrad",
        tensorflow=f"{TRAIN}.AdagradOptimizer",
    ),
    Counterpart(
        "Adadelta",
        (RATE, *same("rho"), EPSILON, DECAY),
        keras="keras.optimizers.Adadelta",
        torch="torch.optim.Adadelta",
        tensorflow=f"{TRAIN}.AdadeltaOptimizer",
    ),
    Counterpart(
        "Adafactor",
        (
            RATE,
            P("beta_2_decay", torch="beta2_decay"),
            P("epsilon_1", torch="eps[0]", remarks={"torch": "None: the eps of the dtype"}),
            P("epsilon_2", torch="eps[1]"),
            P("clip_threshold", torch="d"),
            P("relative_step", remarks={"torch": "always"}),
            DECOUPLED,
        ),
        keras="keras.optimizers.Adafactor",
        torch="torch.optim.Adafactor",
    ),
    Counterpart(
        "Muon",
        (
            RATE,
            *same("momentum", "nesterov", "ns_steps"),
            EPSILON,
            DECOUPLED,
            P("rms_rate", remarks={"torch": "see adjust_lr_fn"}),
            *(P(f"muon_{letter}", torch=f"ns_coefficients[{i}]") for i, letter in enumerate("abc")),
        ),
        keras="keras.optimizers.Muon",
        torch="torch.optim.Muon",
    ),
    Counterpart(
        "Ftrl",
        (RATE, *same("learning_rate_power", "initial_accumulator_value"), P("beta", alike=("None", "0"))),
        keras="keras.optimizers.Ftrl",
        tensorflow=f"{TRAIN}.FtrlOptimizer",
    ),
    Counterpart(
        "clip_grad_norm_",
        (P("max_norm", tensorflow="clip_norm"), *same("norm_type")),
        torch="torch.nn.utils.clip_grad_norm_",
        tensorflow="tensorflow.clip_by_global_norm",
    ),
    Counterpart(
        "LossScaleOptimizer",
        (
            P("initial_scale", torch="init_scale"),
            P("dynamic_growth_steps", torch="growth_interval"),
            P("growth_factor", remarks={"keras": "always 2"}),
            P("backoff_factor", remarks={"keras": "always 1/2"}),
        ),
        keras="keras.optimizers.LossScaleOptimizer",
        torch="torch.amp.GradScaler",
    ),
    Counterpart("zero_grad", same("set_to_none"), torch="torch.optim.Optimizer.zero_grad"),
)

INITIAL_RATE = P(
    "initial_learning_rate",
    tensorflow="learning_rate",
    remarks={"torch": "the optimizer's own rate, and a step is whatever step() is called after"},
)
FLOOR = P(
    "alpha", torch="eta_min", remarks={"keras": "a share of the initial rate", "torch": "a rate by itself"}
)

SCHEDULES = (
    Counterpart(
        "CosineDecay",
        (
            INITIAL_RATE,
            P("decay_steps", torch="T_max", remarks={"torch": "the rate rises again after it"}),
            FLOOR,
            *same("warmup_target", "warmup_steps"),
        ),
        keras="keras.optimizers.schedules.CosineDecay",
        torch="torch.optim.lr_scheduler.CosineAnnealingLR",
        tensorflow=f"{TRAIN}.cosine_decay",
    ),
    Counterpart(
        "CosineDecayRestarts",
        (
            INITIAL_RATE,
            P("first_decay_steps", torch="T_0"),
            P("t_mul", torch="T_mult"),
            *same("m_mul"),
            FLOOR,
        ),
        keras="keras.optimizers.schedules.CosineDecayRestarts",
        torch="torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
        tensorflow=f"{TRAIN}.cosine_decay_restarts",
    ),
    Counterpart(
        "ExponentialDecay",
        (
            INITIAL_RATE,
            *same("decay_steps"),
            P(
                "decay_rate",
                torch="gamma",
                remarks={"torch": "decay_rate ** (1 / decay_steps), of each step"},
            ),
            *same("staircase"),
        ),
        keras="keras.optimizers.schedules.ExponentialDecay",
        torch="torch.optim.lr_scheduler.ExponentialLR",
        tensorflow=f"{TRAIN}.exponential_decay",
    ),
    Counterpart(
        "PiecewiseConstantDecay",
        (
            P(
                "boundaries",
                torch="milestones",
                remarks={"keras": "the last step of the old rate", "torch": "the first step of the new one"},
            ),
            P("values", remarks={"torch": "each is gamma times the one before"}),
            *same("gamma"),
        ),
        keras="keras.optimizers.schedules.PiecewiseConstantDecay",
        torch="torch.optim.lr_scheduler.MultiStepLR",
        tensorflow=f"{TRAIN}.piecewise_constant_decay",
    ),
    Counterpart(
        "PolynomialDecay",
        (
            INITIAL_RATE,
            P("decay_steps", torch="total_iters"),
            P("end_learning_rate", remarks={"torch": "always 0"}),
            *same("power", "cycle"),
        ),
        keras="keras.optimizers.schedules.PolynomialDecay",
        torch="torch.optim.lr_scheduler.PolynomialLR",
        tensorflow=f"{TRAIN}.polynomial_decay",
    ),
    Counterpart(
        "LinearLR",
        (
            P("total_iters", keras="decay_steps"),
            P("start_factor", remarks={"torch": "of the optimizer's own rate"}),
            P("end_factor", remarks={"torch": "of the optimizer's own rate"}),
            P("end_learning_rate", remarks={"keras": "a rate by itself"}),
        ),
        keras="keras.optimizers.schedules.PolynomialDecay",
        torch="torch.optim.lr_scheduler.LinearLR",
    ),
    Counterpart(
        "InverseTimeDecay",
        (INITIAL_RATE, *same("decay_steps", "decay_rate", "staircase")),
        keras="keras.optimizers.schedules.InverseTimeDecay",
        tensorflow=f"{TRAIN}.inverse_time_decay",
    ),
    Counterpart(
        "LearningRateScheduler",
        (P("schedule", torch="lr_lambda", remarks={"torch": "returns a factor, not the rate"}),),
        keras="keras.callbacks.LearningRateScheduler",
        torch="torch.optim.lr_scheduler.LambdaLR",
    ),
)

USE_BIAS = P("use_bias", torch="bias")
KERNEL_START = P("kernel_initializer", remarks={"torch": "uniform in ±1/√inputs"})
BIAS_START = P("bias_initializer", remarks={"torch": "uniform in ±1/√inputs"})
FORMAT = P(
    "data_format",
    alike=("None", "'NWC'", "'NHWC'", "'NDHWC'"),  # channels last, unless Keras is told otherwise
    remarks={"torch": "always channels first"},
)
PADDING = P("padding", alike=("'valid'", "0"))
OUTPUT_PADDING = P("output_padding", alike=("None", "0"))


def _convolution(dimensions: int, strides: str = "strides") -> tuple[Parameter, ...]:
    """What all convolutions have; (1, 1) and 1 are the same stride."""
    ones = ("1", repr((1,) * dimensions), "None") if dimensions > 1 else ("1", "None")
    return (
        P("filters", torch="out_channels", tensorflow=ABSENT),
        *same("kernel_size"),
        P("strides", torch="stride", tensorflow=strides, alike=ones),
        PADDING,
        P("dilation_rate", torch="dilation", tensorflow="dilations", alike=ones),
        *same("groups"),
        USE_BIAS,
        KERNEL_START,
        BIAS_START,
        FORMAT,
    )


CHANNELS = P("axis", remarks={"torch": "always 1, the channels"})
FEATURES = P("axis", torch="normalized_shape", remarks={"torch": "the shape of the last axes"})
SCALE = P("scale", torch="affine", tensorflow=ABSENT)
CENTER = P("center", torch="bias")
RECURRENT = (
    P("units", torch="hidden_size"),
    P("use_bias", torch="bias", remarks={"torch": "two biases, which add up"}),
    P("kernel_initializer", remarks={"torch": "uniform in ±1/√units"}),
    P("recurrent_initializer", remarks={"torch": "uniform in ±1/√units"}),
    P("bias_initializer", remarks={"torch": "uniform in ±1/√units"}),
    P("dropout", remarks={"keras": "on the inputs", "torch": "between stacked layers"}),
    *same("recurrent_dropout"),
    P("return_sequences", remarks={"torch": "always both, all steps and the last"}),
    P("batch_first", remarks={"keras": "always batch first"}),
)
AXIS = P("axis", torch="dim")

LAYERS = (
    Counterpart(
        "Dense",
        (
            P("units", torch="out_features"),
            USE_BIAS,
            KERNEL_START,
            BIAS_START,
            *same("activation", "kernel_regularizer", "activity_regularizer"),
        ),
        keras="keras.layers.Dense",
        torch="torch.nn.Linear",
    ),
    Counterpart(
        "Conv1D",
        _convolution(1, strides="stride"),
        keras="keras.layers.Conv1D",
        torch="torch.nn.Conv1d",
        tensorflow="tensorflow.nn.conv1d",
    ),
    Counterpart(
        "Conv2D",
        _convolution(2),
        keras="keras.layers.Conv2D",
        torch="torch.nn.Conv2d",
        tensorflow="tensorflow.nn.conv2d",
    ),
    Counterpart(
        "Conv3D",
        _convolution(3),
        keras="keras.layers.Conv3D",
        torch="torch.nn.Conv3d",
        tensorflow="tensorflow.nn.conv3d",
    ),
    Counterpart(
        "Conv1DTranspose",
        (*_convolution(1), OUTPUT_PADDING),
        keras="keras.layers.Conv1DTranspose",
        torch="torch.nn.ConvTranspose1d",
        tensorflow="tensorflow.nn.conv1d_transpose",
    ),
    Counterpart(
        "Conv2DTranspose",
        (*_convolution(2), OUTPUT_PADDING),
        keras="keras.layers.Conv2DTranspose",
        torch="torch.nn.ConvTranspose2d",
        tensorflow="tensorflow.nn.conv2d_transpose",
    ),
    Counterpart(
        "DepthwiseConv2D",
        (
            P("depth_multiplier", remarks={"torch": "out_channels / in_channels, with groups=in_channels"}),
            *_convolution(2)[1:-3],
            P("depthwise_initializer", remarks={"torch": "uniform in ±1/√inputs"}),
            BIAS_START,
            FORMAT,
        ),
        keras="keras.layers.DepthwiseConv2D",
        torch="torch.nn.Conv2d",
        tensorflow="tensorflow.nn.depthwise_conv2d",
    ),
    Counterpart(
        "SeparableConv2D",
        (
            P("depth_multiplier", remarks={"torch": "out_channels / in_channels, with groups=in_channels"}),
            *_convolution(2)[1:-3],
            P("depthwise_initializer", remarks={"torch": "uniform in ±1/√inputs"}),
            P("pointwise_initializer", remarks={"torch": "uniform in ±1/√inputs"}),
            BIAS_START,
            FORMAT,
        ),
        keras="keras.layers.SeparableConv2D",
        torch="torch.nn.Conv2d",
        tensorflow="tensorflow.nn.separable_conv2d",
    ),
    Counterpart(
        "BatchNormalization",
        (
            CHANNELS,
            P("momentum", remarks={"torch": "1 - momentum: the weight of the new value"}),
            P("epsilon", torch="eps", tensorflow="variance_epsilon"),
            CENTER,
            SCALE,
            *same("track_running_stats"),
        ),
        keras="keras.layers.BatchNormalization",
        torch="torch.nn.BatchNorm2d",
        tensorflow="tensorflow.nn.batch_normalization",
    ),
    Counterpart(
        "LayerNormalization",
        (FEATURES, EPSILON, CENTER, P("scale", torch="elementwise_affine")),
        keras="keras.layers.LayerNormalization",
        torch="torch.nn.LayerNorm",
    ),
    Counterpart(
        "GroupNormalization",
        (P("groups", torch="num_groups"), CHANNELS, EPSILON, CENTER, SCALE),
        keras="keras.layers.GroupNormalization",
        torch="torch.nn.GroupNorm",
    ),
    Counterpart(
        "InstanceNorm2d",
        (
            P("groups", remarks={"keras": "-1 for one group for each channel"}),
            EPSILON,
            CENTER,
            SCALE,
            *same("momentum", "track_running_stats"),
        ),
        keras="keras.layers.GroupNormalization",
        torch="torch.nn.InstanceNorm2d",
    ),
    Counterpart(
        "LocalResponseNorm",
        (
            P("size", tensorflow="depth_radius", remarks={"tensorflow": "(size - 1) / 2"}),
            P("alpha", remarks={"torch": "divided by size"}),
            P("beta"),
            P("k", tensorflow="bias"),
        ),
        torch="torch.nn.LocalResponseNorm",
        tensorflow="tensorflow.nn.local_response_normalization",
    ),
    Counterpart(
        "RMSNormalization",
        (FEATURES, P("epsilon", torch="eps", remarks={"torch": "None: the eps of the dtype"})),
        keras="keras.layers.RMSNormalization",
        torch="torch.nn.RMSNorm",
    ),
    Counterpart(
        "UnitNormalization",
        (AXIS, EPSILON, P("p")),
        keras="keras.layers.UnitNormalization",
        torch="torch.nn.functional.normalize",
        tensorflow="tensorflow.nn.l2_normalize",
    ),
    Counterpart(
        "Embedding",
        (
            P("input_dim", torch="num_embeddings"),
            P("output_dim", torch="embedding_dim"),
            P("embeddings_initializer", remarks={"torch": "standard normal"}),
            P(
                "mask_zero",
                torch="padding_idx",
                alike=("False", "None"),
                remarks={
                    "keras": "masks, and trains row 0 all the same",
                    "torch": "this row stays zero; no mask",
                },
            ),
        ),
        keras="keras.layers.Embedding",
        torch="torch.nn.Embedding",
    ),
    Counterpart(
        "LSTM",
        (
            *RECURRENT,
            P("unit_forget_bias", remarks={"torch": "never"}),
            *same("activation", "recurrent_activation"),
        ),
        keras="keras.layers.LSTM",
        torch="torch.nn.LSTM",
    ),
    Counterpart(
        "GRU",
        (
            *RECURRENT,
            P("reset_after", remarks={"torch": "always"}),
            *same("activation", "recurrent_activation"),
        ),
        keras="keras.layers.GRU",
        torch="torch.nn.GRU",
    ),
    Counterpart(
        "SimpleRNN",
        (*RECURRENT, P("activation", torch="nonlinearity")),
        keras="keras.layers.SimpleRNN",
        torch="torch.nn.RNN",
    ),
    Counterpart(
        "MultiHeadAttention",
        (
            *same("num_heads"),
            P(
                "key_dim",
                torch="embed_dim",
                remarks={"keras": "of one head", "torch": "of all heads together"},
            ),
            *same("value_dim", "dropout"),
            USE_BIAS,
            P("kernel_initializer", remarks={"torch": "Glorot, of all three projections as one"}),
            P("bias_initializer", remarks={"torch": "zeros"}),
            P("batch_first", remarks={"keras": "always batch first"}),
        ),
        keras="keras.layers.MultiHeadAttention",
        torch="torch.nn.MultiheadAttention",
    ),
    Counterpart(
        "Attention",
        (
            P(
                "use_scale",
                torch="scale",
                remarks={"keras": "a trained factor; False: none at all", "torch": "None: 1/√features"},
            ),
            P("dropout", torch="dropout_p"),
            *same("score_mode", "is_causal"),
        ),
        keras="keras.layers.Attention",
        torch="torch.nn.functional.scaled_dot_product_attention",
    ),
    Counterpart("RNN", same("zero_output_for_mask"), keras="keras.layers.RNN"),
    Counterpart(
        "Dropout",
        (P("rate", torch="p"),),
        keras="keras.layers.Dropout",
        torch="torch.nn.Dropout",
        tensorflow="tensorflow.nn.dropout",
    ),
    Counterpart(
        "SpatialDropout2D",
        (P("rate", torch="p"), FORMAT),
        keras="keras.layers.SpatialDropout2D",
        torch="torch.nn.Dropout2d",
    ),
    Counterpart(
        "AlphaDropout",
        (P("rate", torch="p"),),
        keras="keras.layers.AlphaDropout",
        torch="torch.nn.AlphaDropout",
    ),
    *(
        Counterpart(
            f"{kind}Pooling{n}D",
            (
                P("pool_size", torch="kernel_size", tensorflow="ksize"),
                P("strides", torch="stride"),
                PADDING,
                FORMAT,
                P("count_include_pad", remarks={"keras": "never", "tensorflow": "never"}),
                *same("ceil_mode"),
            ),
            keras=f"keras.layers.{kind}Pooling{n}D",
            torch=f"torch.nn.{short.title()}Pool{n}d",
            tensorflow=f"tensorflow.nn.{short}_pool{n}d",
        )
        for kind, short in (("Max", "max"), ("Average", "avg"))
        for n in (1, 2)
    ),
    Counterpart(
        "GlobalAveragePooling2D",
        (FORMAT, P("keepdims", remarks={"torch": "always"}), *same("output_size")),
        keras="keras.layers.GlobalAveragePooling2D",
        torch="torch.nn.AdaptiveAvgPool2d",
    ),
    Counterpart(
        "UpSampling2D",
        (P("size", torch="scale_factor"), P("interpolation", torch="mode"), FORMAT, *same("align_corners")),
        keras="keras.layers.UpSampling2D",
        torch="torch.nn.Upsample",
    ),
    Counterpart(
        "ZeroPadding2D",
        (*same("padding"), FORMAT),
        keras="keras.layers.ZeroPadding2D",
        torch="torch.nn.ZeroPad2d",
    ),
    Counterpart("Flatten", (FORMAT,), keras="keras.layers.Flatten", torch="torch.nn.Flatten"),
)

SLOPE = P("negative_slope", tensorflow="alpha")
APPROXIMATE = P("approximate", alike=("False", "'none'"))
THRESHOLD = P("threshold", torch="lambd")

ACTIVATIONS = (
    Counterpart(
        "ReLU",
        same("max_value", "negative_slope", "threshold"),
        keras="keras.layers.ReLU",
        torch="torch.nn.ReLU",
        tensorflow="tensorflow.nn.relu",
    ),
    Counterpart("LeakyReLU", (SLOPE,), keras="keras.layers.LeakyReLU", torch="torch.nn.LeakyReLU"),
    Counterpart(
        "leaky_relu",
        (SLOPE,),
        keras="keras.activations.leaky_relu",
        torch="torch.nn.functional.leaky_relu",
        tensorflow="tensorflow.nn.leaky_relu",
    ),
    Counterpart("ELU", same("alpha"), keras="keras.layers.ELU", torch="torch.nn.ELU"),
    Counterpart(
        "elu",
        (P("alpha", remarks={"tensorflow": "always 1"}),),
        keras="keras.activations.elu",
        torch="torch.nn.functional.elu",
        tensorflow="tensorflow.nn.elu",
    ),
    Counterpart("celu", same("alpha"), keras="keras.activations.celu", torch="torch.nn.functional.celu"),
    Counterpart(
        "PReLU",
        (
            P("alpha_initializer", torch="init"),
            P("shared_axes", torch="num_parameters", remarks={"keras": "None: a slope for each element"}),
        ),
        keras="keras.layers.PReLU",
        torch="torch.nn.PReLU",
    ),
    Counterpart("Softmax", (AXIS,), keras="keras.layers.Softmax", torch="torch.nn.Softmax"),
    Counterpart(
        "softmax",
        (P("axis", torch="dim", remarks={"tensorflow": "None: the last"}),),
        keras="keras.activations.softmax",
        torch="torch.nn.functional.softmax",
        tensorflow="tensorflow.nn.softmax",
    ),
    Counterpart(
        "log_softmax",
        (P("axis", torch="dim", remarks={"tensorflow": "None: the last"}),),
        keras="keras.activations.log_softmax",
        torch="torch.nn.functional.log_softmax",
        tensorflow="tensorflow.nn.log_softmax",
    ),
    Counterpart(
        "gelu",
        (APPROXIMATE,),
        keras="keras.activations.gelu",
        torch="torch.nn.functional.gelu",
        tensorflow="tensorflow.nn.gelu",
    ),
    Counterpart(
        "ops.gelu",
        (APPROXIMATE,),
        keras="keras.ops.gelu",
        torch="torch.nn.GELU",
        tensorflow="tensorflow.nn.gelu",
    ),
    Counterpart(
        "silu",
        (P("beta", remarks={"keras": "always 1", "torch": "always 1"}),),
        keras="keras.activations.silu",
        torch="torch.nn.functional.silu",
        tensorflow="tensorflow.nn.silu",
    ),
    Counterpart(
        "softplus",
        (
            P("beta", remarks={"keras": "always 1", "tensorflow": "always 1"}),
            P("threshold", remarks={"torch": "above it, softplus(x) is x"}),
        ),
        keras="keras.activations.softplus",
        torch="torch.nn.functional.softplus",
        tensorflow="tensorflow.nn.softplus",
    ),
    Counterpart(
        "hard_shrink",
        (THRESHOLD,),
        keras="keras.activations.hard_shrink",
        torch="torch.nn.functional.hardshrink",
    ),
    Counterpart(
        "soft_shrink",
        (THRESHOLD,),
        keras="keras.activations.soft_shrink",
        torch="torch.nn.functional.softshrink",
    ),
    Counterpart(
        "hard_tanh",
        same("min_val", "max_val"),
        keras="keras.activations.hard_tanh",
        torch="torch.nn.functional.hardtanh",
    ),
    Counterpart("glu", (AXIS,), keras="keras.activations.glu", torch="torch.nn.functional.glu"),
)

MEAN = P("reduction", alike=("'sum_over_batch_size'", "'mean'", "'weighted_sum_by_nonzero_weights'"))
SMOOTHING = same("label_smoothing")

LOSSES = (
    Counterpart(
        "MeanSquaredError",
        (MEAN,),
        keras="keras.losses.MeanSquaredError",
        torch="torch.nn.MSELoss",
        tensorflow=f"{V1}.losses.mean_squared_error",
    ),
    Counterpart(
        "MeanAbsoluteError",
        (MEAN,),
        keras="keras.losses.MeanAbsoluteError",
        torch="torch.nn.L1Loss",
        tensorflow=f"{V1}.losses.absolute_difference",
    ),
    Counterpart(
        "BinaryCrossentropy",
        (
            P(
                "from_logits",
                remarks={"torch": "never; BCEWithLogitsLoss always", "tensorflow": "always"},
            ),
            *SMOOTHING,
            *same("axis"),
            MEAN,
        ),
        keras="keras.losses.BinaryCrossentropy",
        torch="torch.nn.BCELoss",
        tensorflow=f"{V1}.losses.sigmoid_cross_entropy",
    ),
    Counterpart(
        "BCEWithLogitsLoss",
        (
            P("from_logits", remarks={"torch": "always", "tensorflow": "always"}),
            *SMOOTHING,
            *same("pos_weight", "axis"),
            MEAN,
        ),
        keras="keras.losses.BinaryCrossentropy",
        torch="torch.nn.BCEWithLogitsLoss",
        tensorflow=f"{V1}.losses.sigmoid_cross_entropy",
    ),
    Counterpart(
        "CategoricalCrossentropy",
        (
            P("from_logits", remarks={"torch": "always", "tensorflow": "always"}),
            *SMOOTHING,
            P("axis", remarks={"torch": "always 1"}),
            *same("ignore_index"),
            MEAN,
        ),
        keras="keras.losses.CategoricalCrossentropy",
        torch="torch.nn.CrossEntropyLoss",
        tensorflow=f"{V1}.losses.softmax_cross_entropy",
    ),
    Counterpart(
        "SparseCategoricalCrossentropy",
        (
            P("from_logits", remarks={"torch": "always", "tensorflow": "always"}),
            P("ignore_class", torch="ignore_index"),
            P("axis", remarks={"torch": "always 1"}),
            *SMOOTHING,
            MEAN,
        ),
        keras="keras.losses.SparseCategoricalCrossentropy",
        torch="torch.nn.CrossEntropyLoss",
        tensorflow=f"{V1}.losses.sparse_softmax_cross_entropy",
    ),
    Counterpart(
        "Huber",
        (*same("delta"), MEAN),
        keras="keras.losses.Huber",
        torch="torch.nn.HuberLoss",
        tensorflow=f"{V1}.losses.huber_loss",
    ),
    Counterpart(
        "SmoothL1Loss",
        (P("beta", keras="delta", remarks={"torch": "divides by it: Huber's loss / beta"}), MEAN),
        keras="keras.losses.Huber",
        torch="torch.nn.SmoothL1Loss",
    ),
    Counterpart(
        "KLDivergence",
        (
            P(
                "reduction",
                remarks={"keras": "sums classes, averages rows", "torch": "'batchmean' does that"},
            ),
            P("log_target", remarks={"torch": "its first argument is log q"}),
        ),
        keras="keras.losses.KLDivergence",
        torch="torch.nn.KLDivLoss",
    ),
    Counterpart(
        "CosineSimilarity",
        (
            AXIS,
            P("reduction", remarks={"keras": "the negative similarity, averaged", "torch": "one per row"}),
            P("eps"),
        ),
        keras="keras.losses.CosineSimilarity",
        torch="torch.nn.CosineSimilarity",
        tensorflow=f"{V1}.losses.cosine_distance",
    ),
    Counterpart(
        "Hinge",
        (MEAN,),
        keras="keras.losses.Hinge",
        tensorflow=f"{V1}.losses.hinge_loss",
        sklearn="sklearn.metrics.hinge_loss",
    ),
    Counterpart(
        "HingeEmbeddingLoss",
        (P("margin", remarks={"torch": "of distances: a loss of its own", "keras": "always 1"}), MEAN),
        keras="keras.losses.Hinge",
        torch="torch.nn.HingeEmbeddingLoss",
    ),
    Counterpart(
        "CategoricalHinge",
        (
            P(
                "margin",
                remarks={"keras": "always 1, to the best wrong class", "torch": "to all wrong classes"},
            ),
            *same("p"),
            MEAN,
        ),
        keras="keras.losses.CategoricalHinge",
        torch="torch.nn.MultiMarginLoss",
    ),
    Counterpart(
        "Poisson",
        (
            P("log_input", remarks={"keras": "never: it takes rates", "tensorflow": "always"}),
            P("full", tensorflow="compute_full_loss"),
            P("eps"),
            MEAN,
        ),
        keras="keras.losses.Poisson",
        torch="torch.nn.PoissonNLLLoss",
        tensorflow="tensorflow.nn.log_poisson_loss",
    ),
    Counterpart("CTC", (MEAN, *same("blank")), keras="keras.losses.CTC", torch="torch.nn.CTCLoss"),
)

PENALTIES = (
    Counterpart(
        "L2",
        (
            P(
                "l2",
                torch="weight_decay",
                sklearn="alpha",
                remarks={
                    "keras": "c·‖w‖², whose gradient is 2c·w",
                    "torch": "its gradient is λ·w",
                    "sklearn": "½α·‖w‖² divided by the rows of the batch",
                },
            ),
        ),
        keras="keras.regularizers.L2",
        torch="torch.optim.SGD",
        sklearn=MLP,
        part_of_more=("torch", "sklearn"),
    ),
    Counterpart(
        "L1",
        (
            P("l1", sklearn="alpha", remarks={"sklearn": "only with penalty='l1', and then cumulative"}),
            *same("penalty"),
        ),
        keras="keras.regularizers.L1",
        sklearn="sklearn.linear_model.SGDClassifier",
        part_of_more=("sklearn",),
    ),
    Counterpart(
        "MaxNorm",
        (
            P("max_value", torch="maxnorm", tensorflow="clip_norm"),
            P(
                "axis",
                torch="dim",
                tensorflow="axes",
                remarks={"keras": "the norm is along it", "torch": "the norm is along all others"},
            ),
            *same("p"),
        ),
        keras="keras.constraints.MaxNorm",
        torch="torch.renorm",
        tensorflow="tensorflow.clip_by_norm",
    ),
)

CALLBACKS = (
    Counterpart(
        "EarlyStopping",
        (
            P("monitor", remarks={"sklearn": "the training loss, or the score with early_stopping"}),
            P("min_delta", sklearn="tol"),
            P(
                "patience",
                sklearn="n_iter_no_change",
                remarks={
                    "keras": "stops when so many epochs are no better",
                    "sklearn": "stops one epoch later",
                },
            ),
            P(
                "restore_best_weights",
                sklearn="early_stopping",
                remarks={"sklearn": "with a split of its own"},
            ),
            *same("mode", "baseline", "start_from_epoch", "validation_fraction"),
        ),
        keras="keras.callbacks.EarlyStopping",
        sklearn=MLP,
        part_of_more=("sklearn",),
    ),
    Counterpart(
        "ReduceLROnPlateau",
        (
            P("monitor", remarks={"torch": "what step() is given"}),
            *same("factor"),
            P("patience", remarks={"torch": "cuts one epoch later than Keras"}),
            P("min_delta", torch="threshold", remarks={"torch": "relative, unless threshold_mode is 'abs'"}),
            *same("threshold_mode", "cooldown", "min_lr", "mode", "eps"),
        ),
        keras="keras.callbacks.ReduceLROnPlateau",
        torch="torch.optim.lr_scheduler.ReduceLROnPlateau",
    ),
)

METRICS = (
    Counterpart(
        "BinaryAccuracy",
        (P("threshold", remarks={"sklearn": "takes classes"}), *same("normalize")),
        keras="keras.metrics.BinaryAccuracy",
        sklearn="sklearn.metrics.accuracy_score",
    ),
    Counterpart(
        "AUC",
        (
            P("num_thresholds", remarks={"sklearn": "every score is one"}),
            *same("curve", "summation_method", "from_logits"),
            P("average", remarks={"sklearn": "of several classes"}),
        ),
        keras="keras.metrics.AUC",
        sklearn="sklearn.metrics.roc_auc_score",
    ),
    Counterpart(
        "F1Score",
        same("average", "threshold"),
        keras="keras.metrics.F1Score",
        sklearn="sklearn.metrics.f1_score",
    ),
    *(
        Counterpart(
            name,
            same("thresholds", "average", "zero_division"),
            keras=f"keras.metrics.{name}",
            sklearn=f"sklearn.metrics.{name.lower()}_score",
        )
        for name in ("Precision", "Recall")
    ),
    *(
        Counterpart(
            name,
            (P("k"), P("from_sorted_ids", remarks={"sklearn": "never"})),
            keras=f"keras.metrics.{name}",
            sklearn="sklearn.metrics.top_k_accuracy_score",
        )
        for name in ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")
    ),
    Counterpart(
        "R2Score",
        (P("class_aggregation", sklearn="multioutput"), *same("force_finite")),
        keras="keras.metrics.R2Score",
        sklearn="sklearn.metrics.r2_score",
    ),
    Counterpart(
        "std",
        (
            AXIS,
            P("correction", remarks={"keras": "always 0", "tensorflow": "always 0"}),
            P("keepdims", torch="keepdim"),
        ),
        keras="keras.ops.std",
        torch="torch.std",
        tensorflow="tensorflow.math.reduce_std",
    ),
)

DRAWN = P("stddev", torch="std")

INITIALISERS = (
    *(
        Counterpart(
            f"Glorot{kind}",
            same("gain"),
            keras=f"keras.initializers.Glorot{kind}",
            torch=f"torch.nn.init.xavier_{kind.lower()}_",
            tensorflow=f"{V1}.glorot_{kind.lower()}_initializer",
        )
        for kind in ("Uniform", "Normal")
    ),
    *(
        Counterpart(
            f"He{kind}",
            (
                P("a", remarks={"torch": "the slope of leaky_relu: 0 is relu"}),
                P("mode", remarks={"keras": "always 'fan_in'"}),
                *same("nonlinearity"),
            ),
            keras=f"keras.initializers.He{kind}",
            torch=f"torch.nn.init.kaiming_{kind.lower()}_",
        )
        for kind in ("Uniform", "Normal")
    ),
    Counterpart(
        "TruncatedNormal",
        (
            *same("mean"),
            DRAWN,
            P("a", remarks={"keras": "always -2·stddev", "torch": "a bound by itself, not times std"}),
            P("b", remarks={"keras": "always 2·stddev", "torch": "a bound by itself, not times std"}),
        ),
        keras="keras.initializers.TruncatedNormal",
        torch="torch.nn.init.trunc_normal_",
        tensorflow=f"{V1}.truncated_normal_initializer",
    ),
    Counterpart(
        "RandomNormal",
        (*same("mean"), DRAWN),
        keras="keras.initializers.RandomNormal",
        torch="torch.nn.init.normal_",
        tensorflow=f"{V1}.random_normal_initializer",
    ),
    Counterpart(
        "RandomUniform",
        (
            P("minval", torch="a"),
            P("maxval", torch="b", remarks={"tensorflow": "None: 1"}),
        ),
        keras="keras.initializers.RandomUniform",
        torch="torch.nn.init.uniform_",
        tensorflow=f"{V1}.random_uniform_initializer",
    ),
    Counterpart(
        "Orthogonal",
        same("gain"),
        keras="keras.initializers.Orthogonal",
        torch="torch.nn.init.orthogonal_",
        tensorflow=f"{V1}.orthogonal_initializer",
    ),
    Counterpart(
        "VarianceScaling",
        same("scale", "mode", "distribution"),
        keras="keras.initializers.VarianceScaling",
        tensorflow=f"{V1}.variance_scaling_initializer",
    ),
    Counterpart(
        "Constant",
        (P("value", torch="val"),),
        keras="keras.initializers.Constant",
        torch="torch.nn.init.constant_",
        tensorflow=f"{V1}.constant_initializer",
    ),
)

DATA = (
    Counterpart(
        "fit",
        (
            P("batch_size", remarks={"keras": "None: 32"}),
            *same("shuffle"),
            P(
                "drop_last",
                tensorflow="drop_remainder",
                remarks={"keras": "never"},
            ),
            *same("epochs"),
            P("validation_split", remarks={"keras": "the last rows, before any shuffle"}),
            *same("steps_per_epoch", "class_weight", "initial_epoch", "validation_freq"),
        ),
        keras="keras.Model.fit",
        torch="torch.utils.data.DataLoader",
        tensorflow="tensorflow.data.Dataset.batch",
    ),
)

OWN_RATE = P("learning_rate", keras=ABSENT, torch=ABSENT, remarks={"sklearn": "a schedule"})
STOPPING = same("max_iter", "tol", "shuffle", "early_stopping", "n_iter_no_change", "validation_fraction")


def _estimator(name: str) -> Counterpart:
    """A linear one of scikit-learn that takes a step for each row, beside the optimizers without momentum."""
    return Counterpart(
        name,
        (
            P("eta0", keras="learning_rate", torch="lr"),
            OWN_RATE,
            *same("power_t", "loss", "penalty"),
            P(
                "alpha",
                keras="weight_decay",
                torch="weight_decay",
                remarks={"sklearn": "½α·‖w‖² of each row, none on the intercept"},
            ),
            P("epsilon", keras=ABSENT, torch=ABSENT, remarks={"sklearn": "where Huber's loss turns linear"}),
            *STOPPING,
            *same("average", "l1_ratio", "fit_intercept", "class_weight", "warm_start"),
        ),
        keras="keras.optimizers.SGD",
        torch="torch.optim.SGD",
        sklearn=f"sklearn.linear_model.{name}",
        part_of_more=("keras", "torch"),
    )


def _network(name: str) -> Counterpart:
    """A network of scikit-learn beside the trainers: what it has of an optimizer, "Adam" and "SGD" show."""
    return Counterpart(
        name,
        (
            P("batch_size", remarks={"sklearn": "'auto': 200, or all rows", "keras": "None: 32"}),
            *same("shuffle"),
            P("max_iter", keras="epochs"),
            P(
                "validation_fraction",
                keras="validation_split",
                remarks={"keras": "the last rows", "sklearn": "drawn, and only with early_stopping"},
            ),
            *same("hidden_layer_sizes", "activation", "solver", "loss"),
            P("alpha", remarks={"sklearn": "½α·‖w‖² divided by the rows of the batch"}),
            OWN_RATE,
            *same("learning_rate_init", "power_t", "momentum", "nesterovs_momentum"),
            *same("beta_1", "beta_2", "epsilon", "tol", "early_stopping", "n_iter_no_change", "warm_start"),
        ),
        keras="keras.Model.fit",
        torch="torch.utils.data.DataLoader",
        sklearn=f"sklearn.neural_network.{name}",
    )


SCIKIT_LEARN = (
    _network("MLPClassifier"),
    _network("MLPRegressor"),
    _estimator("SGDClassifier"),
    _estimator("SGDRegressor"),
    _estimator("Perceptron"),
    Counterpart(
        "LogisticRegression",
        (
            P("C", keras="l2", remarks={"sklearn": "½‖w‖² + C·Σ loss: the penalty is 1/(2·C·rows)"}),
            *same("max_iter"),
            P("tol", torch="tolerance_grad"),
            *same("solver", "penalty", "l1_ratio", "fit_intercept", "class_weight"),
        ),
        keras="keras.regularizers.L2",
        torch="torch.optim.LBFGS",
        sklearn="sklearn.linear_model.LogisticRegression",
    ),
    Counterpart(
        "Ridge",
        (
            P(
                "alpha",
                keras="l2",
                torch="weight_decay",
                remarks={"sklearn": "‖error‖² + α·‖w‖²: a sum over rows, no mean"},
            ),
            *same("fit_intercept", "solver", "tol", "max_iter"),
        ),
        keras="keras.regularizers.L2",
        torch="torch.optim.SGD",
        sklearn="sklearn.linear_model.Ridge",
        part_of_more=("torch",),
    ),
    Counterpart(
        "Lasso",
        (
            P("alpha", keras="l1", remarks={"sklearn": "‖error‖²/(2·rows) + α·‖w‖₁"}),
            *same("fit_intercept", "max_iter", "tol", "selection"),
        ),
        keras="keras.regularizers.L1",
        sklearn="sklearn.linear_model.Lasso",
    ),
    Counterpart(
        "ElasticNet",
        (
            P("alpha", remarks={"keras": "l1 and l2 in one: α·l1_ratio, ½α·(1 - l1_ratio)"}),
            *same("l1_ratio", "fit_intercept", "max_iter", "tol", "selection"),
        ),
        keras="keras.regularizers.L1L2",
        sklearn="sklearn.linear_model.ElasticNet",
    ),
)

COUNTERPARTS: dict[str, Counterpart] = {
    thing.name: thing
    for thing in (
        *OPTIMIZERS,
        *SCHEDULES,
        *LAYERS,
        *ACTIVATIONS,
        *LOSSES,
        *PENALTIES,
        *CALLBACKS,
        *METRICS,
        *INITIALISERS,
        *DATA,
        *SCIKIT_LEARN,
    )
}


def shared(source: str, port: str) -> list[Counterpart]:
    """What two frameworks have; scikit-learn's own estimators only where it is one of the two."""
    others = () if "sklearn" in (source, port) else SCIKIT_LEARN
    return [
        thing
        for thing in COUNTERPARTS.values()
        if {source, port} <= thing.names.keys() and thing not in others
    ]


@cache
def find(reference: str) -> tuple[Counterpart, Parameter]:
    """What "Adam.epsilon" refers to; "NAdam.eps", as PyTorch calls it, is known too.

    Raises `LookupError` that names what there is not.
    """
    name, dot, parameter = reference.rpartition(".")
    if not dot:
        raise LookupError(f"{reference!r} names no parameter, expected Thing.parameter, as in Adam.epsilon")
    things = [COUNTERPARTS[name]] if name in COUNTERPARTS else _so_called(name)
    if not things:
        close = get_close_matches(name, COUNTERPARTS, n=3)
        meant = f", did you mean {' or '.join(close)}?" if close else ""
        raise LookupError(f"{reference!r}: there is no {name!r}{meant}")
    listed = [(thing, one) for thing in things for one in thing.parameters]
    own = [pair for pair in listed if pair[1].name == parameter]
    others = [(thing, one) for thing, one in listed if parameter in map(one.called, thing.names)]
    if not (own or others):
        known = ", ".join(one.name for one in things[0].parameters)
        raise LookupError(f"{reference!r}: {things[0].name} lists {known}, but no {parameter!r}")
    return (own or others)[0]


def _so_called(name: str) -> list[Counterpart]:
    """What some framework gives this name."""
    return [
        thing
        for thing in COUNTERPARTS.values()
        if any(dotted.rpartition(".")[2] == name for dotted in thing.names.values())
    ]

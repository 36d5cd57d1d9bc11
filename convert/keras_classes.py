"""The Keras classes that a file may name: they compute, read no files and run no code from the model file."""

MODELS = "Functional Model Sequential"
LAYERS = """
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling2D
BatchNormalization CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout
ELU EinsumDense Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D
GlobalMaxPooling2D GroupNormalization GroupQueryAttention Identity InputLayer LayerNormalization LeakyReLU MaxPooling2D
Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute RandomBrightness RandomContrast RandomCrop
RandomFlip RandomRotation RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D
Softmax SpatialDropout2D SpectralNormalization Subtract ThresholdedReLU UnitNormalization UpSampling2D ZeroPadding2D
"""
INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal RandomNormal
RandomUniform TruncatedNormal VarianceScaling Zeros
"""
OTHERS = "DTypePolicy MaxNorm MinMaxNorm NonNeg UnitNorm L1 L2 L1L2 OrthogonalRegularizer Policy"
# Markers for tensors and tuples in a configuration, not classes to build.
MARKERS = "__keras_tensor__ __tuple__ TensorShape"

CLASSES = frozenset(" ".join((MODELS, LAYERS, INITIALIZERS, OTHERS, MARKERS)).split())

ACTIVATION_NAMES = """
celu elu exponential gelu glu hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid log_softmax
mish relu relu6 selu sigmoid silu softmax softplus softsign squareplus swish tanh
"""
ACTIVATIONS = frozenset(ACTIVATION_NAMES.split())

# The modules that files name for them: public packages since Keras 3, private ones for models and for the arithmetic
# in functional models.
MODULE_NAMES = """
builtins keras keras.activations keras.constraints keras.dtype_policies keras.engine.functional
keras.engine.sequential keras.initializers keras.layers keras.models keras.regularizers keras.src.engine.functional
keras.src.engine.sequential keras.src.models.functional keras.src.models.sequential keras.src.ops.numpy
"""
MODULES = frozenset(MODULE_NAMES.split())

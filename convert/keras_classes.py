"""What a Keras file may name: classes and functions that compute, read no files and run no code from the file."""

import re

MODELS = "Functional Model Sequential"
LAYERS = """
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D
AveragePooling2D BatchNormalization CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Cropping2D Dense
DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Flatten GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
GroupQueryAttention Identity InputLayer LayerNormalization LeakyReLU LocallyConnected2D MaxPooling1D MaxPooling2D
Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute RMSNormalization ReLU RepeatVector Rescaling
Reshape Resizing SeparableConv1D SeparableConv2D Softmax SpatialDropout1D SpatialDropout2D SpectralNormalization
Subtract ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D
"""
# These do nothing at inference, or nothing random.
AUGMENTATIONS = """
AugMix AutoContrast CutMix Equalization MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter
RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom Solarization
"""
# Keras 2 in TensorFlow 1.14 to 2.3; FixedDropout is the dropout of the package efficientnet.
OLD_NAMES = "BatchNormalizationV1 BatchNormalizationV2 FixedDropout"
INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal RandomNormal
RandomUniform TruncatedNormal VarianceScaling Zeros
"""
OTHERS = """
DTypePolicy MaxNorm MinMaxNorm NonNeg UnitNorm L1 L2 L1L2 OrthogonalRegularizer Policy
"""
# Markers for tensors and tuples in a configuration, not classes to build.
MARKERS = "__ellipsis__ __keras_tensor__ __numpy__ __slice__ __tensor__ __tuple__ TensorShape"

CLASSES = frozenset(" ".join((MODELS, LAYERS, AUGMENTATIONS, OLD_NAMES, INITIALIZERS, OTHERS, MARKERS)).split())

ACTIVATION_NAMES = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softmax_v2 softplus softsign sparse_plus sparsemax
squareplus swish tanh tanh_shrink threshold
"""
ACTIVATIONS = frozenset(ACTIVATION_NAMES.split())
# Keras's own layers that are refused, for they become loops.
RECURRENT = frozenset("Bidirectional ConvLSTM1D ConvLSTM2D CuDNNGRU CuDNNLSTM GRU LSTM RNN SimpleRNN".split())
# Keras 2 accepts layers in place of activations.
ACTIVATION_LAYERS = frozenset("ELU LeakyReLU PReLU ReLU Softmax ThresholdedReLU".split())

# The modules that files name for them: public packages since Keras 3, private ones for models.
MODULE_NAMES = """
builtins keras keras.activations keras.constraints keras.dtype_policies keras.engine.functional
keras.engine.sequential keras.initializers keras.layers keras.models keras.regularizers keras.src.engine.functional
keras.src.engine.sequential keras.src.models.functional keras.src.models.sequential keras.src.ops.numpy
tf_keras.src.engine.functional tf_keras.src.engine.sequential
"""
MODULES = frozenset(MODULE_NAMES.split())

# Arithmetic between layers, in Keras 3: classes of the modules keras.src.ops.*, each a pure function of tensors.
OPERATION_NAMES = """
Abs Absolute Add AveragePool BatchNorm BroadcastTo Cast Celu Clip Concatenate Conv Conv2D Copy DepthwiseConv Divide
DivideNoNan Dot Einsum Elu Equal Exp ExpandDims Expm1 Flip FloorDivide Gelu GetItem Greater GreaterEqual HardSigmoid
HardSilu HardSwish LeakyRelu Less LessEqual Log Log1p LogSigmoid LogSoftmax Matmul Max MaxPool Maximum Mean Min Minimum
Mod Moveaxis Multiply Negative Normalize NotEqual OnesLike Pad Power Prod RGBToGrayscale Reciprocal Relu Relu6 Repeat
Reshape Resize Roll Round Rsqrt Selu SeparableConv Sigmoid Sign Silu Softmax Softplus Softsign Split Sqrt Square Squeeze
Stack Std StopGradient Subtract Sum Swapaxes Take Tanh Tile Transpose TrueDivide UnwrapNone Var Where ZerosLike
"""
OPERATIONS = frozenset(OPERATION_NAMES.split())
ARITHMETIC_IN_HDF5 = "Keras 3 writes arithmetic to .h5 files, but cannot read it back: save the model as .keras"
OPERATION_MODULE = re.compile(r"keras\.src\.ops\.(core|image|math|nn|numpy)")

# The same in Keras 2: a layer that calls a function of TensorFlow by name.
FUNCTION_LAYERS = frozenset(("SlicingOpLambda", "TFOpLambda"))
FUNCTION_LAYER_MODULE = re.compile(r"(tf_)?keras\.(src\.)?layers\.core\.tf_op_layer|keras\.layers")
FUNCTION_NAMES = """
__operators__.add __operators__.getitem __operators__.ragged_getitem cast clip_by_value compat.v1.floor_div
compat.v1.squeeze compat.v1.transpose compat.v1.shape concat convert_to_tensor expand_dims identity
image.per_image_standardization image.resize image.rgb_to_grayscale math.abs math.add math.add_n math.divide
math.divide_no_nan math.exp math.floordiv math.floormod math.l2_normalize math.log math.log1p math.maximum math.minimum
math.multiply math.multiply_no_nan math.negative math.pow math.reciprocal math.reduce_max math.reduce_mean
math.reduce_min math.reduce_prod math.reduce_std math.reduce_sum math.reduce_variance math.round math.rsqrt math.sigmoid
math.sign math.softplus math.sqrt math.square math.squared_difference math.subtract math.tanh math.truediv ones_like
linalg.matmul nn.avg_pool nn.avg_pool2d nn.bias_add nn.elu nn.gelu nn.leaky_relu nn.log_softmax nn.max_pool
nn.max_pool2d nn.relu nn.relu6 nn.selu nn.sigmoid nn.silu nn.softmax nn.softplus nn.softsign nn.swish nn.tanh pad repeat
reshape reverse shape split squeeze stack stop_gradient tile transpose unstack where zeros_like
"""
FUNCTIONS = frozenset(FUNCTION_NAMES.split())

# And in TensorFlow 2.0 to 2.3: a layer that contains one operation of a graph.
GRAPH_LAYERS = frozenset(("TensorFlowOpLayer",))
GRAPH_OPERATION_NAMES = """
Abs Add AddV2 BiasAdd Cast ClipByValue ConcatV2 Div DivNoNan Elu Exp ExpandDims Identity LeakyRelu Log MatMul Max
Maximum Mean Min Minimum Mul Neg Pack Pad PadV2 Pow RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear
ResizeNearestNeighbor ReverseV2 Round Rsqrt Selu Sigmoid Softmax Softplus Sqrt Square SquaredDifference Squeeze
StridedSlice Sub Sum Tanh Tile Transpose
"""
GRAPH_OPERATIONS = frozenset(GRAPH_OPERATION_NAMES.split())

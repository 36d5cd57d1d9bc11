"""What a Keras file may name: classes and functions that compute, read no files and run no code from the file."""

import re

MODELS = "Functional Model Sequential"
LAYERS = """
Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D
AdaptiveMaxPooling2D Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D AveragePooling2D
AveragePooling3D BatchNormalization CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
Conv3DTranspose Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU
EinsumDense Embedding Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
Identity InputLayer LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxPooling1D
MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
RMSNormalization ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D Softmax SpatialDropout1D
SpatialDropout2D SpatialDropout3D SpectralNormalization Subtract ThresholdedReLU TimeDistributed UnitNormalization
UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
# Of keras.applications.convnext; files name its module.
CONVNEXT = "LayerScale StochasticDepth"
CONVNEXT_MODULE = re.compile(r"(tf_)?keras\.src\.applications\.convnext")
# These do nothing at inference, or nothing random.
AUGMENTATIONS = """
AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MixUp RandAugment RandomBrightness
RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip
RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization
RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom Solarization
"""
# Keras 2 in TensorFlow 1.14 to 2.3, and on several devices; FixedDropout is the dropout of the package efficientnet.
OLD_NAMES = "BatchNormalizationV1 BatchNormalizationV2 FixedDropout SyncBatchNormalization"
# Layers of AutoKeras, by the names they are registered under, and its module in files of Keras 3.
AUTOKERAS = frozenset(("Custom>CastToFloat32", "Custom>ExpandLastDim"))
AUTOKERAS_MODULE = re.compile(r"autokeras\.keras_layers")
INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal RandomNormal
RandomUniform TruncatedNormal VarianceScaling Zeros
"""
OTHERS = """
DTypePolicy MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm L1 L2 L1L2 OrthogonalRegularizer Policy
"""
# Markers for tensors and tuples in a configuration, not classes to build.
MARKERS = "__ellipsis__ __keras_tensor__ __numpy__ __slice__ __tensor__ __tuple__ TensorShape"

CLASSES = frozenset(
    " ".join((MODELS, LAYERS, CONVNEXT, AUGMENTATIONS, OLD_NAMES, INITIALIZERS, OTHERS, MARKERS)).split()
)

ACTIVATION_NAMES = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softmax_v2 softplus softsign sparse_plus sparsemax
squareplus swish tanh tanh_shrink threshold
"""
ACTIVATIONS = frozenset(ACTIVATION_NAMES.split())
# Keras's own layers that are refused because they become loops.
RECURRENT_NAMES = """
AbstractRNNCell Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D CuDNNGRU CuDNNLSTM GRU GRUCell LSTM LSTMCell RNN
SimpleRNN SimpleRNNCell StackedRNNCells
"""
RECURRENT = frozenset(RECURRENT_NAMES.split())
# Refused because an image classifier does not need them, and some read files.
TEXT = frozenset(
    "CategoryEncoding DenseFeatures HashedCrossing Hashing IntegerLookup ReversibleEmbedding StringLookup "
    "TextVectorization".split()
)
SOUND = frozenset("MelSpectrogram STFTSpectrogram".split())
# Refused because they run a network that the configuration does not describe.
FOREIGN_NETWORKS = frozenset("FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper".split())
# Wrappers of tensorflow_model_optimization, used only in training, and the function that removes each, if any.
OPTIMIZATIONS: dict[str, str | None] = {
    "ClusterWeights": "clustering.keras.strip_clustering",
    "PruneLowMagnitude": "sparsity.keras.strip_pruning",
    "QuantizeAnnotate": None,
    "QuantizeLayer": None,
    "QuantizeWrapper": None,
    "QuantizeWrapperV2": None,
}
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
Abs Absolute AdaptiveAveragePool AdaptiveMaxPool Add All Amax Amin Any Arctan Argmax Argmin Average AveragePool
BatchNorm BroadcastTo Cast Ceil Celu Clip Concatenate Conv Conv2D ConvTranspose ConvertToTensor Copy Cos CropImages
Cumsum DepthToSpace DepthwiseConv Divide DivideNoNan Dot DotProductAttention Einsum Elu Equal Erf Erfc Exp ExpandDims
Expm1 ExtractPatches Flip Fliplr Flipud Floor FloorDivide Gelu GetItem Glu Greater GreaterEqual HSVToRGB HardShrink
HardSigmoid HardSilu HardSwish HardTanh LayerNorm LeakyRelu Less LessEqual Log Log10 Log1p Log2 LogSigmoid LogSoftmax
LogicalAnd LogicalNot LogicalOr Logsumexp Matmul Max MaxPool Maximum Mean Min Minimum Mod Moments Moveaxis Multiply
Negative Norm Normalize NotEqual OneHot OnesLike Pad PadImages Power Prod RGBToGrayscale RGBToHSV RMSNorm Ravel
Reciprocal Relu Relu6 Repeat Reshape Resize Roll Round Rsqrt Selu SeparableConv Sigmoid Sign Silu Sin Slice SoftShrink
Softmax Softplus Softsign SpaceToDepth Sparsemax Split Sqrt Square Squareplus Squeeze Stack Std StopGradient Subtract
Sum Swapaxes Take Tan Tanh TanhShrink Tensordot Threshold Tile Transpose TrueDivide Trunc Unstack UnwrapNone Var Where
ZerosLike
"""
OPERATIONS = frozenset(OPERATION_NAMES.split())
ARITHMETIC_IN_HDF5 = "Keras 3 writes arithmetic to .h5 files, but cannot read it back: save the model as .keras"
OPERATION_MODULE = re.compile(r"keras\.src\.ops\.(core|image|linalg|math|nn|numpy)")

# The same in Keras 2: a layer that calls a function of TensorFlow by name.
FUNCTION_LAYERS = frozenset(("SlicingOpLambda", "TFOpLambda"))
FUNCTION_LAYER_MODULE = re.compile(r"(tf_)?keras\.(src\.)?layers\.core\.tf_op_layer|keras\.layers")
FUNCTION_NAMES = """
__operators__.add __operators__.getitem __operators__.ragged_getitem broadcast_to cast clip_by_value
compat.v1.depth_to_space compat.v1.floor_div compat.v1.gather compat.v1.image.resize_bicubic
compat.v1.image.resize_bilinear compat.v1.image.resize_nearest_neighbor compat.v1.nn.conv2d
compat.v1.nn.depthwise_conv2d compat.v1.pad compat.v1.shape compat.v1.space_to_depth compat.v1.squeeze
compat.v1.transpose concat convert_to_tensor expand_dims gather identity image.adjust_brightness
image.adjust_contrast image.adjust_gamma image.central_crop image.convert_image_dtype image.crop_to_bounding_box
image.extract_patches image.flip_left_right image.flip_up_down image.grayscale_to_rgb image.hsv_to_rgb
image.pad_to_bounding_box image.per_image_standardization image.resize image.resize_with_crop_or_pad
image.rgb_to_grayscale image.rgb_to_hsv linalg.matmul math.abs math.add math.add_n math.argmax math.argmin math.ceil
math.cos math.cumsum math.divide math.divide_no_nan math.equal math.erf math.exp math.floor math.floordiv math.floormod
math.greater math.greater_equal math.l2_normalize math.less math.less_equal math.log math.log1p math.logical_and
math.logical_not math.logical_or math.maximum math.minimum math.multiply math.multiply_no_nan math.negative
math.not_equal math.pow math.reciprocal math.reduce_all math.reduce_any math.reduce_euclidean_norm
math.reduce_logsumexp math.reduce_max math.reduce_mean math.reduce_min math.reduce_prod math.reduce_std math.reduce_sum
math.reduce_variance math.round math.rsqrt math.sigmoid math.sign math.sin math.softplus math.sqrt math.square
math.squared_difference math.subtract math.tan math.tanh math.top_k math.truediv nn.avg_pool nn.avg_pool2d
nn.batch_normalization nn.bias_add nn.conv2d nn.depth_to_space nn.depthwise_conv2d nn.elu nn.gelu nn.l2_normalize
nn.leaky_relu nn.local_response_normalization nn.log_softmax nn.max_pool nn.max_pool2d nn.moments nn.relu nn.relu6
nn.selu nn.sigmoid nn.silu nn.softmax nn.softplus nn.softsign nn.space_to_depth nn.swish nn.tanh one_hot ones_like pad
repeat reshape reverse shape slice split squeeze stack stop_gradient tile transpose unstack where zeros_like
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

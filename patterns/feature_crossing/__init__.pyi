from .embedding import embedding_model as embedding_model
from .embedding import factorize_cross as factorize_cross
from .pattern import FeatureCross as FeatureCross
from .pattern import cross_keys as cross_keys
from .pattern import signal_kept as signal_kept

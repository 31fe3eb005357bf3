from .answers import Answer as Answer
from .answers import Answers as Answers
from .pattern import BadInputError as BadInputError
from .pattern import Model as Model
from .pattern import Report as Report
from .pattern import SinkError as SinkError
from .pattern import score as score

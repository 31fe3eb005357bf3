from .pattern import ArtifactError as ArtifactError
from .pattern import Feature as Feature
from .pattern import Input as Input
from .pattern import InputError as InputError
from .pattern import ServingArtifact as ServingArtifact
from .pattern import Transform as Transform
from .pattern import Violation as Violation

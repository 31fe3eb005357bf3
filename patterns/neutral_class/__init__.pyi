from .pattern import MinimumExpectedCostClassifier as MinimumExpectedCostClassifier
from .pattern import aurc as aurc
from .pattern import chance_agreement_correction as chance_agreement_correction
from .pattern import labels_from_votes as labels_from_votes
from .pattern import least_costly_action as least_costly_action
from .pattern import risk_coverage_curve as risk_coverage_curve

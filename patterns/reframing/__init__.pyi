from .neighbors import BoundedRegressor as BoundedRegressor
from .neighbors import exceedance_probability as exceedance_probability
from .pattern import BinnedDistributionRegressor as BinnedDistributionRegressor
from .pattern import bin_lower_bounds as bin_lower_bounds
from .pattern import neg_crps as neg_crps
from .pattern import out_of_fold_residuals as out_of_fold_residuals

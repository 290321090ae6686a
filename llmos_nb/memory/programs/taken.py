"""Names that a value must not become: what they already mean would win."""

from __future__ import annotations

import builtins
from typing import Final

__all__ = ["BUILTINS", "POWERFUL", "TABLE_NAMES"]

#: Names that every program can use without making them.
BUILTINS: Final = frozenset(dir(builtins))

#: Functions that run, import or open whatever they are given: no value of a goal is ever one of these.
POWERFUL: Final = frozenset(
    ["breakpoint", "compile", "delattr", "eval", "exec", "exit", "getattr", "globals", "input", "locals", "open", "quit",
     "setattr", "vars"]
)  # fmt: skip

_TABLE_NAMES: Final = """
T abs add add_prefix add_suffix agg aggregate align all any append apply argmax argmin argpartition argsort
array asfreq asof asof_locs assign astype at at_time attrs autocorr axes base between between_time bfill boxplot
byteswap case_when cat choose clear clip columns combine combine_first compare compress conj conjugate
convert_dtypes copy corr corrwith count cov ctypes cumcount cummax cummin cumprod cumsum data delete describe
device diagonal diff difference div divide divmod dot drop drop_duplicates droplevel dropna dt dtype dtypes dump
dumps duplicated empty eq equals eval ewm expanding explode factorize ffill fill fillna filter first
first_valid_index flags flat flatten floordiv from_arrow from_dict from_records fromkeys ge get get_group
get_indexer get_indexer_for get_indexer_non_unique get_level_values get_loc get_slice_bound getfield groupby
groups gt has_duplicates hasnans head hist iat identical idxmax idxmin iloc imag index indices infer_objects
inferred_type info insert interpolate intersection is_ is_monotonic_decreasing is_monotonic_increasing is_unique
isetitem isin isna isnull item items itemsize iterrows itertuples join keys kurt kurtosis last last_valid_index
le level list loc lt mT map mask max mean median melt memory_usage merge min mod mode mul multiply name names
nbytes ndim ne ngroup ngroups nlargest nlevels nonzero notna notnull nsmallest nth nunique ohlc partition
pct_change pipe pivot pivot_table plot pop popitem pow prod product put putmask quantile query radd rank ravel
rdiv rdivmod real reindex reindex_like rename rename_axis reorder_levels repeat replace resample reset_index
reshape resize rfloordiv rmod rmul rolling round rpow rsub rtruediv sample searchsorted select select_dtypes sem
set_axis set_flags set_index set_names setdefault setfield setflags shape shift size skew slice_indexer
slice_locs sort sort_index sort_values sortlevel sparse squeeze stack std str strides struct style sub subtract
sum swapaxes swaplevel symmetric_difference tail take to_clipboard to_csv to_device to_dict to_excel to_feather
to_flat_index to_frame to_hdf to_html to_iceberg to_json to_latex to_list to_markdown to_numpy to_orc to_parquet
to_period to_pickle to_records to_series to_sql to_stata to_string to_timestamp to_xarray to_xml tobytes tofile
tolist trace transform transpose truediv truncate tz_convert tz_localize union unique unstack update
value_counts values var view where xs
"""
#: Public attributes of pandas' DataFrame, Series, Index and groups (2.2 and 3), of NumPy arrays and of dictionaries:
#: ``df.size`` is not the column ``size``.
TABLE_NAMES: Final = frozenset(_TABLE_NAMES.split())

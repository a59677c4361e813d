"""Public holidays by country and year, from the library `holidays` (lunar, substitute and in-between days included).

Days that a government decrees at short notice come with a newer version of the library, or as `dates` of a calendar.
"""

from datetime import date
from functools import lru_cache

import holidays as library


def is_known(country: str, region: str | None) -> bool:
    """Whether the library has the country, and the region in it."""
    regions = library.list_supported_countries().get(country)
    return regions is not None and (region is None or region in regions)


@lru_cache(maxsize=512)
def holidays_of(country: str, region: str | None, language: str | None, year: int) -> dict[date, str]:
    """The holidays of a year with their names, in the country's own language unless another is given (one that the
    library doesn't have for it counts as none given). Never by the machine's locale: every process says the same."""
    try:
        known = library.country_holidays(country, subdiv=region)
    except NotImplementedError:
        return {}
    spoken = language if language in known.supported_languages else known.default_language
    return dict(library.country_holidays(country, subdiv=region, years=year, language=spoken or "en_US").items())

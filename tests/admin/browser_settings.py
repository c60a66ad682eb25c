"""The product's settings, for browsers that ask for each static file once, as in production."""

from inventory_project.settings import *  # noqa: F403

WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

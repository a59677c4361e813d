"""What a target of the notifier ``slack_app`` is told."""

from typing import Annotated

from msgspec import Meta

from channels.kit.outbound import checked_url
from channels.notify.cards import Reader
from router.runtime.secret import Secret

_Id = Annotated[str, Meta(pattern=r"^([CDGUW][A-Z0-9]{2,30})?$")]


class SlackAppOptions(Reader, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``token``: the app's bot token. ``signing_secrets`` check what Slack posts; two while one replaces the other.
    ``channel``: the id of the channel for what is for nobody in particular. ``acts_url`` and ``acts_key`` (of the
    role notifier) are where buttons act; ``snooze_s`` is how long that one puts a ladder off."""

    token: Secret
    signing_secrets: Annotated[tuple[Secret, ...], Meta(min_length=1, max_length=2)]
    acts_url: str
    acts_key: Secret
    channel: _Id = ""
    snooze_s: Annotated[int, Meta(ge=60, le=86_400)] = 900
    api_url: str = "https://slack.com/api"
    allow_private: bool = False
    timeout_s: Annotated[float, Meta(gt=0, le=14)] = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_url(self.acts_url, allow_private=True)
        checked_url(self.api_url, allow_private=self.allow_private)

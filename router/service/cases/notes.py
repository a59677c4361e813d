"""Internal notes: what staff read beside a case, and customers never."""

from router.contract.codec import encode
from router.contract.ids import CaseId
from router.contract.messages import StaffNote


def written(case: CaseId, text: str, *, author: str, now_ms: int) -> str:
    """A note as an act carries it; empty for none."""
    return encode(StaffNote(case=case, text=text, at_ms=now_ms, author=author)).decode() if text else ""

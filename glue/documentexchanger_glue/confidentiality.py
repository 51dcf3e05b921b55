"""Confidentiality codes: every bit of a mask means a code of its case, so masks are translated bit by bit. Pure."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from .errors import MisfitError

BITS = 64


def assign_bits(new_codes: Iterable[int], taken: AbstractSet[int]) -> dict[int, int]:
    """Give every new code the lowest free bit of the destination, in the order of their ids."""
    codes = sorted(new_codes)
    free = [bit for bit in range(BITS) if bit not in taken]
    if len(free) < len(codes):
        raise MisfitError(
            "NO_FREE_BIT",
            f"the destination has room for {len(free)} more of {BITS} confidentiality codes and {len(codes)} new ones"
            " are needed; remove codes there or leave confidentialityCodes out",
        )
    return dict(zip(codes, free, strict=False))


def bits_of(mask: int) -> set[int]:
    """Return the numbers of the bits that are set."""
    return {bit for bit in range(BITS) if mask >> bit & 1}

"""Split one month's flow of every customer into items and single payments, to the cent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from course_utils.synth.trade.draw import group_offsets, split_cents

YUAN = 100


@dataclass
class Item:
    """Payments of one sort: `amount` cents in `count` payments, shape ``(customers,)``."""

    amount: np.ndarray
    count: np.ndarray

    def rows(self) -> np.ndarray:
        """Return the customer position of each payment."""
        return np.repeat(np.arange(len(self.count)), self.count)

    def cents(self, weights: np.ndarray) -> np.ndarray:
        """Return the payments for the given positive weights."""
        return split_cents(self.amount, self.count, weights)


@dataclass
class Budget:
    """Money and number of payments that are still to be explained in one direction and month.

    Every `take` keeps the rest explainable: as long as money is left at least one payment is
    left, and every payment can have at least one cent.

    Parameters
    ----------
    left : numpy.ndarray
        Integer cents, shape ``(customers,)``; at least `slots`.
    slots : numpy.ndarray
        Payments, shape ``(customers,)``; zero exactly where `left` is zero.
    """

    left: np.ndarray
    slots: np.ndarray
    items: list[Item] = field(default_factory=list)

    def take(self, amount: np.ndarray, count: np.ndarray | int = 1, flexible: bool = False) -> Item:
        """Take an item where it fits; elsewhere its count is zero.

        Parameters
        ----------
        amount : numpy.ndarray
            Integer cents wanted, 0 = nothing.
        count : numpy.ndarray or int
            Payments wanted.
        flexible : bool
            Whether the number of payments may be changed so that the item fits.
        """
        amount = np.asarray(amount, dtype=np.int64)
        count = np.broadcast_to(count, amount.shape).astype(np.int64)
        exhausts = amount == self.left
        if flexible:
            count = np.where(exhausts, self.slots, np.minimum(count, self.slots - 1))
            count = np.minimum(count, amount)
        rest, free = self.left - amount, self.slots - count
        fits = (amount > 0) & (count > 0) & (amount >= count)
        fits &= ((rest == 0) & (free == 0)) | ((free >= 1) & (rest >= free))
        item = Item(np.where(fits, amount, 0), np.where(fits, count, 0))
        self.left = self.left - item.amount
        self.slots = self.slots - item.count
        return item

    def widen(self, item: Item, share: float) -> Item:
        """Give `share` of the spare payments to an item that was already taken."""
        spare = np.where(item.count > 0, np.maximum(self.slots - (self.left > 0), 0), 0)
        extra = np.minimum((spare * share).astype(np.int64), item.amount - item.count)
        self.slots = self.slots - extra
        return Item(item.amount, item.count + extra)

    def rest(self) -> Item:
        """Take everything that is left."""
        item = Item(self.left, np.where(self.left > 0, self.slots, 0))
        self.left = np.zeros_like(self.left)
        self.slots = np.zeros_like(self.slots)
        return item


def round_parts(
    cents: np.ndarray, counts: np.ndarray, chosen: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Round chosen payments down to multiples of `step`; the first payment of the group gains.

    Parameters
    ----------
    cents : numpy.ndarray
        Payments, group after group.
    counts : numpy.ndarray
        Size of each group (zeros allowed).
    chosen : numpy.ndarray of bool
        Payments to round; the first one of each group is never rounded.
    step : numpy.ndarray
        Step in cents for each payment; a payment below its step stays as it is.
    """
    counts = counts[counts > 0]
    if len(counts) == 0:
        return cents
    starts = group_offsets(counts)
    target = np.where(chosen & (cents >= step), cents // step * step, cents)
    target[starts] = cents[starts]
    freed = np.add.reduceat(cents - target, starts)
    target[starts] += freed
    return target

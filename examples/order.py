"""An order in a shop: what its payment timeout and its mails look like as a table.

    python examples/order.py

The drawing, with the command: ``fsm-rtc diagram examples.order:OrderChart``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc import Chart, On, Row, stay


class OrderState(StrEnum):
    """An order's life."""

    CART = "cart"
    PLACED = "placed"
    AWAITING_PAYMENT = "awaiting-payment"
    PAID = "paid"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNING = "returning"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    CLOSED = "closed"


CART, PLACED, AWAITING, PAID, PICKING, PACKED, SHIPPED, DELIVERED, RETURNING, REFUNDED, CANCELLED, CLOSED = OrderState


@dataclass
class Order:
    """What the guards read."""

    items: int = 0
    total: int = 0
    returnable: bool = True


class TellCustomer:
    """A request: the customer is to have a mail about the order's new state."""


def has_items(order: Order, event: object) -> bool:
    """There must be something in the cart."""
    return order.items > 0


def covers_total(order: Order, amount: int) -> bool:
    """The payment must cover the total."""
    return amount >= order.total


def may_be_returned(order: Order, event: object) -> bool:
    """The goods must be of a kind that can be returned."""
    return order.returnable


class OrderChart(Chart[OrderState, Order]):
    """An order in a shop."""

    initial = CART
    final = frozenset({CLOSED})
    entry = dict.fromkeys((PLACED, PAID, SHIPPED, CANCELLED), (TellCustomer,))

    add_item = On(stay(CART))
    place = On(Row(CART, PLACED, when=(has_items,)))
    ask_for_payment = On(Row(PLACED, AWAITING))
    pay = On(Row(AWAITING, PAID, when=(covers_total,)))
    payment_timeout = On(Row(AWAITING, CANCELLED), after=900)
    pick = On(Row(PAID, PICKING))
    pack = On(Row(PICKING, PACKED))
    ship = On(Row(PACKED, SHIPPED))
    deliver = On(Row(SHIPPED, DELIVERED))
    send_back = On(Row(DELIVERED, RETURNING, when=(may_be_returned,)))
    refund = On(Row((RETURNING, CANCELLED), REFUNDED))
    cancel = On(Row((CART, PLACED, AWAITING, PAID, PICKING, PACKED), CANCELLED), idempotent=True)
    close = On(Row((DELIVERED, REFUNDED, CANCELLED), CLOSED))


def main() -> None:
    """An order that nobody pays."""
    seconds = 0.0
    order = OrderChart(Order(total=10), clock=lambda: seconds)
    print(order.place())
    order.context.items += 1
    order.place()
    order.ask_for_payment()
    print(order.pay(9))
    print(f"due at {order.next_timeout():g} s")
    seconds = 900.0
    for outcome in order.tick(seconds):
        print(outcome)


if __name__ == "__main__":
    main()

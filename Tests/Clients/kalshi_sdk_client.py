"""Runs the third-party SDK kalshi-sdk, REST and WebSocket, through its public API against a sandbox.

    SSL_CERT_FILE=ca.pem python kalshi_sdk_client.py READY.json

READY.json as for official_client.py. This SDK signs with RSA keys only.
"""

import asyncio
import json
import sys
import time
import uuid

import kalshi
from kalshi.ws import KalshiWebSocket

done = 0
problems = []


def step(name, call):
    """Runs one call; remembers what went wrong and goes on."""
    global done
    try:
        value = call()
        done += 1
        return value
    except Exception as error:  # every kind is a finding
        problems.append(f"{name}: {type(error).__name__}: {str(error)[:600]}")
        return None


def check(name, condition):
    global done
    if condition:
        done += 1
    else:
        problems.append(f"{name}: does not hold")


def order(ticker, side, count, price, **more):
    fields = dict(
        ticker=ticker, side=side, count=count, price=price, time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross", client_order_id=str(uuid.uuid4()),
    )
    fields.update(more)
    return kalshi.CreateOrderV2Request(**fields)


def rest(client, ready):
    # Of those that still trade: another client may have settled one.
    ticker = [t for t in ready["markets"] if "KXHIGH" in t][-1]
    series = ticker.split("-")[0]
    now = int(time.time())
    step("status", client.exchange.status)
    step("schedule", client.exchange.schedule)
    step("user data timestamp", client.exchange.user_data_timestamp)
    step("markets", lambda: client.markets.list(limit=5))
    step("all markets", lambda: list(client.markets.list_all(limit=10)))
    market = step("market", lambda: client.markets.get(ticker))
    step("order book", lambda: client.markets.orderbook(ticker))
    step("order books", lambda: client.markets.bulk_orderbooks(tickers=ready["markets"][:3]))
    step("trades", lambda: client.markets.list_trades(limit=10))
    step("candles", lambda: client.markets.candlesticks(
        series, ticker, start_ts=now - 3600, end_ts=now + 60, period_interval=1))
    step("series", lambda: client.series.get(series))
    step("events", lambda: client.events.list(with_nested_markets=True))
    step("event", lambda: client.events.get(market.event_ticker))
    step("event metadata", lambda: client.events.metadata(market.event_ticker))
    step("limits", client.account.limits)
    step("costs", client.account.endpoint_costs)
    step("balance", client.portfolio.balance)
    resting = step("create", lambda: client.orders.create_v2(request=order(ticker, "bid", "10", "0.01")))
    step("take", lambda: client.orders.create_v2(
        request=order(ticker, "bid", "2", "0.99", time_in_force="immediate_or_cancel")))
    step("order", lambda: client.orders.get(resting.order_id))
    step("orders", client.orders.list)
    step("queue positions", lambda: client.orders.queue_positions(market_tickers=[ticker]))
    step("amend", lambda: client.orders.amend_v2(
        resting.order_id, request=kalshi.AmendOrderV2Request(ticker=ticker, side="bid", price="0.02", count="8")))
    step("decrease", lambda: client.orders.decrease_v2(
        resting.order_id, request=kalshi.DecreaseOrderV2Request(reduce_by="3", market_ticker=ticker)))
    step("cancel", lambda: client.orders.cancel_v2(resting.order_id, market_ticker=ticker))
    step("fills", client.portfolio.fills)
    positions = step("positions", client.portfolio.positions)
    check("positions", positions is not None)
    step("settlements", client.portfolio.settlements)
    group = step("create group", lambda: client.order_groups.create(contracts_limit=100))
    step("groups", client.order_groups.list)
    if group:
        step("group", lambda: client.order_groups.get(group.order_group_id))
        step("delete group", lambda: client.order_groups.delete(group.order_group_id))
    return ticker


async def feed(client, auth, config, ready, ticker):
    global done
    # Markets that trade often.
    busy = [t for t in ready["markets"] if t != ticker][:10] + [ticker]

    async def next_of(name, stream, want=1, timeout=20):
        global done
        try:
            async with asyncio.timeout(timeout):
                count = 0
                async for message in stream:
                    count += 1
                    if count >= want:
                        done += 1
                        return message
        except Exception as error:  # every kind is a finding
            problems.append(f"{name}: {type(error).__name__}: {str(error)[:600]}")

    async with KalshiWebSocket(auth=auth, config=config).connect() as ws:
        # This SDK puts frames aside that come while it subscribes: let the snapshots come in first.
        books = await ws.subscribe_orderbook_delta(tickers=busy)
        await next_of("order book", books, want=20)
        tickers = await ws.subscribe_ticker(tickers=busy)
        trades = await ws.subscribe_trade(tickers=busy)
        fills = await ws.subscribe_fill()
        orders = await ws.subscribe_user_orders()
        positions = await ws.subscribe_market_positions()
        placed = await asyncio.to_thread(
            lambda: client.orders.create_v2(
                request=order(ticker, "bid", "2", "0.99", time_in_force="immediate_or_cancel")))
        fill = await next_of("fill", fills)
        check("the fill", fill is not None and fill.msg.order_id == placed.order_id)
        changed = await next_of("user order", orders)
        check("the order", changed is not None and changed.msg.order_id == placed.order_id)
        await next_of("position", positions)
        await next_of("ticker", tickers, want=3)
        await next_of("trade", trades)


def main():
    ready = json.load(open(sys.argv[1]))
    config = kalshi.KalshiConfig(
        base_url=ready["rest"], ws_base_url=ready["websocket"], allow_unknown_host=True)
    auth = kalshi.KalshiAuth.from_key_path(ready["key_id"], ready["private_key"])
    with kalshi.KalshiClient(auth=auth, config=config) as client:
        ticker = rest(client, ready)
        asyncio.run(feed(client, auth, config, ready, ticker))


if __name__ == "__main__":
    try:
        main()
    except AttributeError as error:
        # A call that failed left nothing for the next to go on with.
        problems.append(f"ended early: {error}")
    for problem in problems:
        print("problem:", problem)
    print(f"kalshi-sdk: {done} passed, {len(problems)} failed")
    sys.exit(1 if problems else 0)

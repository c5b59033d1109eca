"""Runs the official Python SDK (kalshi_python_sync) through its public API against a sandbox.

    python official_client.py READY.json

READY.json holds the line that `martlet sandbox --json` prints, with `key_id`, `private_key`, `control` and
`control_token`. The SDK checks every answer against its own models and raises where one does not fit.
"""

import json
import ssl
import sys
import time
import urllib.request
import uuid

from kalshi_python_sync import ApiException, Configuration, KalshiClient

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


def refused(name, status, code, call):
    """A call that must be refused, and how."""
    global done
    try:
        call()
        problems.append(f"{name}: was not refused")
    except ApiException as error:
        body = json.loads(error.body) if error.body else {}
        inner = body.get("error", body)
        found = inner.get("code") if isinstance(inner, dict) else inner
        if error.status != status or (code and found != code):
            problems.append(f"{name}: {error.status} {body}")
        else:
            done += 1


def check(name, condition):
    global done
    if condition:
        done += 1
    else:
        problems.append(f"{name}: does not hold")


def control(ready, path, body):
    context = ssl.create_default_context(cafile=ready["ca"]) if "ca" in ready else None
    request = urllib.request.Request(
        f"{ready['control']}/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Sandbox-Token": ready["control_token"]},
        method="POST",
    )
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return json.load(answer)


def order(ticker, side, count, price, **more):
    fields = dict(
        ticker=ticker,
        side=side,
        count=count,
        price=price,
        time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross",
        client_order_id=str(uuid.uuid4()),
    )
    fields.update(more)
    return fields


def main():
    ready = json.load(open(sys.argv[1]))
    configuration = Configuration(host=ready["rest"], ssl_ca_cert=ready.get("ca"))
    configuration.api_key_id = ready["key_id"]
    configuration.private_key_pem = open(ready["private_key"]).read()
    client = KalshiClient(configuration)

    # Exchange
    status = step("status", client.get_exchange_status)
    check("trading is active", status and status.trading_active)
    step("schedule", client.get_exchange_schedule)
    step("user data timestamp", client.get_user_data_timestamp)
    step("series fee changes", client.get_series_fee_changes)
    step("event fee changes", client.get_event_fee_changes)

    # Markets
    markets = step("markets", lambda: client.get_markets(limit=1000))
    check("markets", markets and len(markets.markets) >= 10)
    first = step("page of markets", lambda: client.get_markets(limit=3))
    second = step("second page", lambda: client.get_markets(limit=3, cursor=first.cursor))
    check("pages differ", {m.ticker for m in first.markets}.isdisjoint(m.ticker for m in second.markets))
    for name in ["unopened", "open", "paused", "closed", "settled"]:
        step(f"markets {name}", lambda: client.get_markets(status=name))
    ticker = next(t for t in ready["markets"] if "KXHIGH" in t)
    market = step("market", lambda: client.get_market(ticker)).market
    step("order book", lambda: client.get_market_orderbook(ticker, depth=5))
    step("order books", lambda: client.get_market_orderbooks(tickers=ready["markets"][:3]))
    step("trades", lambda: client.get_trades(limit=10))
    step("trades of a market", lambda: client.get_trades(ticker=ticker))
    series = ticker.split("-")[0]
    now = int(time.time())
    for interval in [1, 60, 1440]:
        step(
            f"candles {interval}",
            lambda: client.get_market_candlesticks(
                series, ticker, now - 86_400, now + 86_400, interval, include_latest_before_start=True
            ),
        )
    step(
        "candles of several",
        lambda: client.batch_get_market_candlesticks(",".join(ready["markets"][:3]), now - 3600, now + 60, 1),
    )
    step("series", lambda: client.get_series(series, include_volume=True))
    step("series list", client.get_series_list)
    step("events", lambda: client.get_events(with_nested_markets=True))
    step("event", lambda: client.get_event(market.event_ticker))
    step("event with markets", lambda: client.get_event(market.event_ticker, with_nested_markets=True))
    step("event metadata", lambda: client.get_event_metadata(market.event_ticker))
    step("multivariate events", client.get_multivariate_events)
    step(
        "candles of an event",
        lambda: client.get_market_candlesticks_by_event(market.event_ticker, series, now - 3600, now + 60, 1),
    )
    step("cutoff", client.get_historical_cutoff)
    step("historical markets", client.get_historical_markets)
    step("historical trades", client.get_trades_historical)
    step(
        "historical candles",
        lambda: client.get_market_candlesticks_historical(ticker, now - 3600, now + 60, 1),
    )

    # Account
    limits = step("limits", client.get_account_api_limits)
    check("limits", limits and limits.read.refill_rate > 0)
    step("costs", client.get_account_endpoint_costs)
    step("volume progress", client.get_account_api_usage_level_volume_progress)
    balance = step("balance", client.get_balance)
    check("balance", balance and balance.balance > 0)
    time.sleep(1)

    # Orders
    resting = step("create", lambda: client.create_order_v2(**order(ticker, "bid", "10", "0.01")))
    check("it rests", resting and resting.remaining_count == "10.00")
    name = resting.client_order_id
    refused(
        "duplicate client order id", 409, "order_already_exists",
        lambda: client.create_order_v2(**order(ticker, "bid", "1", "0.01", client_order_id=name)),
    )
    taken = step(
        "take",
        lambda: client.create_order_v2(
            **order(ticker, "bid", "3.50", "0.99", time_in_force="immediate_or_cancel")
        ),
    )
    check("it filled", taken and float(taken.fill_count) > 0 and taken.average_fill_price is not None)
    refused(
        "fill or kill", 409, "fill_or_kill_insufficient_resting_volume",
        lambda: client.create_order_v2(**order(ticker, "bid", "100000", "0.01", time_in_force="fill_or_kill")),
    )
    refused("off the grid", 400, "invalid_price",
            lambda: client.create_order_v2(**order(ticker, "bid", "1", "0.5050")))
    refused("no such market", 404, None,
            lambda: client.create_order_v2(**order("KXNOTHING-1-1", "bid", "1", "0.50")))
    refused("too dear", 400, "insufficient_balance",
            lambda: client.create_order_v2(**order(ticker, "bid", "900000", "0.02")))
    amended = step(
        "amend",
        lambda: client.amend_order_v2(
            resting.order_id, ticker=ticker, side="bid", price="0.02", count="8",
        ),
    )
    check("the amended rest", amended and amended.remaining_count == "8.00")
    decreased = step(
        "decrease",
        lambda: client.decrease_order_v2(resting.order_id, reduce_by="3", market_ticker=ticker),
    )
    check("the decreased rest", decreased and decreased.remaining_count == "5.00")
    got = step("order", lambda: client.get_order(resting.order_id))
    check("the order", got and got.order.remaining_count_fp == "5.00" and got.order.client_order_id == name)
    step("queue position", lambda: client.get_order_queue_position(resting.order_id))
    step("queue positions", lambda: client.get_order_queue_positions(market_tickers=ticker))
    for state in ["resting", "canceled", "executed"]:
        step(f"orders {state}", lambda: client.get_orders(status=state))
    cancelled = step("cancel", lambda: client.cancel_order_v2(resting.order_id, market_ticker=ticker))
    check("the cancelled rest", cancelled and cancelled.reduced_by == "5.00")
    refused("cancel twice", 404, "not_found",
            lambda: client.cancel_order_v2(resting.order_id, market_ticker=ticker))
    time.sleep(1)
    batch = step(
        "batch create",
        lambda: client.batch_create_orders_v2(
            orders=[
                order(ticker, "bid", "1", "0.01"), order(ticker, "bid", "1", "0.5055"),
                order(ticker, "ask", "2", "0.99"),
            ]
        ),
    )
    check("the batch", batch and [o.error is None for o in batch.orders] == [True, False, True])
    away = step(
        "batch cancel",
        lambda: client.batch_cancel_orders_v2(
            orders=[{"order_id": batch.orders[0].order_id, "market_ticker": ticker},
                    {"order_id": str(uuid.uuid4()), "market_ticker": ticker}]
        ),
    )
    check("the batch's cancels", away and [o.error is None for o in away.orders] == [True, False])
    step("all orders", client.get_orders)
    step("fills", client.get_fills)
    step("fills of an order", lambda: client.get_fills(order_id=taken.order_id))
    positions = step("positions", client.get_positions)
    check("positions", positions and positions.market_positions[0].ticker == ticker)
    step("resting value", client.get_portfolio_resting_order_total_value)
    time.sleep(1)

    # Another shard
    coin = next(t for t in ready["markets"] if "15M" in t)
    other = step("create on shard 2", lambda: client.create_order_v2(**order(coin, "bid", "1", "0.01")))
    refused("cancel without its market", 404, "not_found", lambda: client.cancel_order_v2(other.order_id))
    step("cancel on shard 2", lambda: client.cancel_order_v2(other.order_id, exchange_index=2))
    transfer = step(
        "transfer between shards",
        lambda: client.intra_exchange_instance_transfer(
            source="event_contract", destination="event_contract", amount=10_000,
            source_exchange_shard=0, destination_exchange_shard=2,
        ),
    )
    step("transfers", client.get_intra_exchange_instance_transfers)
    step("one transfer", lambda: client.get_intra_exchange_instance_transfer(transfer.transfer_id))
    step("allocation", client.get_target_balance_allocation)
    step(
        "set allocation",
        lambda: client.set_target_balance_allocation(
            allocations=[{"exchange_index": 0, "percent": 50}, {"exchange_index": 2, "percent": 50}],
            resting_margin_reservation="none",
        ),
    )
    time.sleep(1)

    # Groups
    group = step(
        "create group",
        lambda: client.create_order_group(contracts_limit_fp="20.00"),
    )
    member = step(
        "order in the group",
        lambda: client.create_order_v2(
            **order(ticker, "bid", "1", "0.01", order_group_id=group.order_group_id)
        ),
    )
    inside = step("group", lambda: client.get_order_group(group.order_group_id))
    check("the group's orders", inside and inside.orders == [member.order_id])
    step("groups", client.get_order_groups)
    step("limit", lambda: client.update_order_group_limit(
        group.order_group_id, contracts_limit_fp="30.00"))
    step("trigger", lambda: client.trigger_order_group(group.order_group_id, body={}))
    after = step("order after the trigger", lambda: client.get_order(member.order_id))
    check("it was cancelled", after and after.order.status == "canceled")
    step("reset", lambda: client.reset_order_group(group.order_group_id, body={}))
    step("delete group", lambda: client.delete_order_group(group.order_group_id))
    time.sleep(1)

    # Subaccounts
    number = step("create subaccount", client.create_subaccount)
    step(
        "subaccount transfer",
        lambda: client.apply_subaccount_transfer(
            client_transfer_id=str(uuid.uuid4()), from_subaccount=0,
            to_subaccount=number.subaccount_number, amount_cents=1000,
        ),
    )
    step("subaccount transfers", client.get_subaccount_transfers)
    step("subaccount balances", client.get_subaccount_balances)
    step("netting", client.get_subaccount_netting)
    step("set netting", lambda: client.update_subaccount_netting(
        subaccount_number=0, enabled=True))
    step("deposits", client.get_deposits)
    step("withdrawals", client.get_withdrawals)
    step("api keys", client.get_api_keys)
    made = step("generate a key", lambda: client.generate_api_key(name="reader", scopes=["read"]))
    reading = Configuration(host=ready["rest"], ssl_ca_cert=ready.get("ca"))
    reading.api_key_id, reading.private_key_pem = made.api_key_id, made.private_key
    reader = KalshiClient(reading)
    step("balance with a key that reads", reader.get_balance)
    refused("order with a key that reads", 403, "forbidden",
            lambda: reader.create_order_v2(**order(ticker, "bid", "1", "0.01")))
    step("delete the key", lambda: client.delete_api_key(made.api_key_id))
    refused("balance with a deleted key", 401, "authentication_error", reader.get_balance)

    # Settlement
    control(ready, f"markets/{ticker}/settle", {"result": "yes"})
    settled = step("settlements", client.get_settlements)
    check("the settlement", settled and settled.settlements[0].market_result == "yes")
    final = step("market after it", lambda: client.get_market(ticker))
    check("finalized", final and final.market.status == "finalized" and final.market.result == "yes")
    refused("trading after it", 400, "MARKET_INACTIVE",
            lambda: client.create_order_v2(**order(ticker, "bid", "1", "0.01")))
    step("historical market", lambda: client.get_historical_market(ticker))
    step("historical fills", client.get_fills_historical)
    step("historical orders", client.get_historical_orders)
    step("historical positions", client.get_historical_positions)
    step("cancel all", client.cancel_all_orders)
    rests = step("create after it", lambda: client.create_order_v2(**order(coin, "bid", "1", "0.01")))
    check("it rests", rests and rests.remaining_count == "1.00")
    step("balance after it", client.get_balance)



if __name__ == "__main__":
    try:
        main()
    except AttributeError as error:
        # A call that failed left nothing for the next to go on with.
        problems.append(f"ended early: {error}")
    for problem in problems:
        print("problem:", problem)
    print(f"official client: {done} passed, {len(problems)} failed")
    sys.exit(1 if problems else 0)

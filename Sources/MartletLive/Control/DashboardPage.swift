/// The dashboard: one page without anything from elsewhere, which asks for the state twice a second. The token stands
/// in the address behind `#`, which browsers send to nobody.
enum DashboardPage {
    static let html = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Martlet</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>
        :root { color-scheme: light dark; --line: #8884; --good: #17803d; --bad: #c22; --dim: #8889; }
        body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
        header { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; }
        h1 { font-size: 1.2rem; margin: 0; } h2 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
        .badge { border-radius: 1rem; padding: .1rem .7rem; border: 1px solid currentColor; font-weight: 600; }
        .active { color: var(--good); } .halted { color: var(--bad); } .reduceOnly { color: #b60; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem; margin-top: 1rem; }
        .tile { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
        .tile b { display: block; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
        .tile span { color: var(--dim); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; }
        th { color: var(--dim); font-weight: 500; }
        button { font: inherit; font-weight: 600; padding: .3rem 1rem; border-radius: .4rem; border: 1px solid var(--bad);
          background: var(--bad); color: white; cursor: pointer; margin-left: auto; }
        #obstacles { color: var(--bad); margin: .8rem 0 0; padding-left: 1.2rem; }
        .pos { color: var(--good); } .neg { color: var(--bad); } .empty { color: var(--dim); }
        </style></head><body>
        <header><h1>Martlet</h1><span id="mode"></span><span id="risk" class="badge"></span><span id="where"></span>
        <button id="halt">Halt: cancel everything</button></header>
        <ul id="obstacles"></ul>
        <div class="tiles" id="tiles"></div>
        <h2>Strategies</h2><div class="scroll"><table id="strategies"></table></div>
        <h2>Markets</h2><div class="scroll"><table id="markets"></table></div>
        <h2>Open orders</h2><div class="scroll"><table id="orders"></table></div>
        <h2>Write budget</h2><div class="scroll"><table id="budgets"></table></div>
        <h2>Refused by the risk gate</h2><div class="scroll"><table id="refusals"></table></div>
        <script>
        const token = location.hash.slice(1), $ = id => document.getElementById(id);
        const headers = {"Martlet-Token": token};
        const span = n => n >= 1e7 ? Math.round(n / 1e6) + " ms" : Math.round(n / 1000) + " µs";
        const micros = l => l ? span(l.median) + ", p99 " + span(l.p99) : "none yet";
        const money = x => { const n = Number(x); return (n < 0 ? "-$" : "$") + Math.abs(n).toFixed(2); };
        const price = x => x === null || x === undefined ? x
          : Number(x).toFixed(Math.max(2, (String(x).split(".")[1] || "").length));
        function cells(row, tag, values) {
          for (const value of values) {
            const cell = document.createElement(tag);
            cell.textContent = value === null || value === undefined ? "–" : value;
            if (typeof value === "string" && /^-?\\$?\\d/.test(value) && value.startsWith("-")) cell.className = "neg";
            row.append(cell);
          }
        }
        function table(id, head, rows) {
          const table = $(id); table.replaceChildren();
          const top = table.createTHead().insertRow(); cells(top, "th", head);
          const body = table.createTBody();
          for (const values of rows) cells(body.insertRow(), "td", values);
          if (!rows.length) { const cell = body.insertRow().insertCell(); cell.colSpan = head.length;
            cell.className = "empty"; cell.textContent = "none"; }
        }
        function show(s) {
          $("mode").textContent = s.mode.toUpperCase(); $("where").textContent = s.environment;
          $("risk").textContent = s.risk; $("risk").className = "badge " + s.risk;
          $("obstacles").replaceChildren(...s.obstacles.map(text => {
            const item = document.createElement("li"); item.textContent = text; return item; }));
          const age = Math.floor((s.time - s.started) / 1e9);
          const clock = [3600, 60, 1].map(n => String(Math.floor(age / n) % (n == 3600 ? 1e6 : 60)).padStart(2, "0")).join(":");
          const tiles = [["equity", money(s.equity)], ["cash", money(s.cash)], ["fills", s.fills], ["open orders", s.openOrders],
            ["commands", s.commands], ["books", s.liveBooks + " of " + s.wantedBooks], ["connections", s.connections],
            ["unknown orders", s.unknownOrders], ["429 answers", s.rateLimited], ["running", clock],
            ["tick to order", micros(s.tickToOrder)], ["round trip", micros(s.roundTrip)]];
          $("tiles").replaceChildren(...tiles.map(([name, value]) => {
            const tile = document.createElement("div"); tile.className = "tile";
            const number = document.createElement("b"), label = document.createElement("span");
            number.textContent = value; label.textContent = name; tile.append(number, label); return tile; }));
          table("strategies", ["strategy", "state", "realised", "unrealised", "fees"],
            s.strategies.map(x => [x.name, x.state, money(x.realized), money(x.unrealized), money(x.fees)]));
          table("markets", ["market", "status", "bid", "ask", "position", "profit", "own bid", "own ask", "book"],
            s.markets.map(x => [x.ticker, x.status, price(x.bid), price(x.ask), x.position, money(x.profit),
              x.ownBidPrice ? x.ownBid + " at " + price(x.ownBidPrice) : "",
              x.ownAskPrice ? x.ownAsk + " at " + price(x.ownAskPrice) : "",
              x.trouble || "usable"]));
          table("orders", ["market", "strategy", "side", "price", "size", "filled", "state"],
            s.orders.map(x => [x.ticker, x.strategy, x.side, price(x.price), x.quantity, x.filled, x.status]));
          table("budgets", ["shard", "tokens", "capacity", "spent", "waiting"],
            s.budgets.map(x => [x.shard, x.available, x.capacity, x.spent, x.waiting]));
          table("refusals", ["rule", "times"], s.refusals.map(x => [x.rule, x.count]));
        }
        async function look() {
          try {
            const answer = await fetch("/status", {headers});
            if (!answer.ok) throw new Error(await answer.text());
            show(await answer.json());
          } catch (error) {
            $("risk").textContent = "no answer"; $("risk").className = "badge halted";
            $("obstacles").replaceChildren(Object.assign(document.createElement("li"), {textContent: String(error.message || error)}));
          }
        }
        $("halt").onclick = async () => {
          if (!confirm("Cancel everything and stop trading?")) return;
          await fetch("/halt", {method: "POST", headers, body: JSON.stringify({reason: "halted on the dashboard"})});
          look();
        };
        look(); setInterval(look, 500);
        </script></body></html>
        """
}

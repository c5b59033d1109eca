/// The page's style sheet and its small script. Everything can be read without the script, which only adds
/// read-outs under the pointer.
enum PageAssets {
    /// Colours after Okabe and Ito ("Color Universal Design", 2008), darkened for white and lightened for dark
    /// paper; direction is told by shape as well.
    static let style: HTML = """
        :root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#1a1e24;--soft:#586270;--line:#e2e6eb;\
        --grid:#eceff3;--zero:#aab3bf;--c1:#0067b1;--c2:#c14a00;--c3:#007a5e;--c4:#93489a;--c5:#8a6100;\
        --fee:#8b94a1;--warn:#fff4d9;--warnline:#d99a00;--band:#0067b114}
        @media (prefers-color-scheme:dark){:root:not([data-theme=light]){--bg:#0f1216;--card:#171b20;\
        --ink:#e6e9ed;--soft:#98a3b0;--line:#2a3139;--grid:#222830;--zero:#596472;--c1:#5fb0f2;--c2:#f58c52;\
        --c3:#35bf9c;--c4:#cf93d6;--c5:#dcb04a;--fee:#7d8794;--warn:#2e2510;--warnline:#d99a00;--band:#5fb0f21c}}
        :root[data-theme=dark]{color-scheme:dark;--bg:#0f1216;--card:#171b20;--ink:#e6e9ed;--soft:#98a3b0;\
        --line:#2a3139;--grid:#222830;--zero:#596472;--c1:#5fb0f2;--c2:#f58c52;--c3:#35bf9c;--c4:#cf93d6;\
        --c5:#dcb04a;--fee:#7d8794;--warn:#2e2510;--warnline:#d99a00;--band:#5fb0f21c}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",\
        Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
        main{max-width:1100px;margin:0 auto;padding:28px 20px 60px}
        header h1{font-size:26px;line-height:1.25;margin:2px 0 4px;letter-spacing:-.01em;overflow-wrap:anywhere}
        .kind{color:var(--soft);font-size:13px;font-weight:600;letter-spacing:.04em;text-transform:uppercase}
        .facts{color:var(--soft);margin:0;overflow-wrap:anywhere}
        nav{margin:14px 0 0;font-size:14px;display:flex;flex-wrap:wrap;gap:4px 18px}
        a{color:var(--c1);text-decoration:none}a:hover{text-decoration:underline}
        .partial{background:var(--warn);border-left:4px solid var(--warnline);border-radius:6px;padding:10px 14px;\
        margin:16px 0 0}
        .tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;background:var(--line);\
        border:1px solid var(--line);border-radius:10px;overflow:hidden;margin:20px 0}
        .tile{background:var(--card);padding:13px 16px 12px;min-width:0}
        .tile b{display:block;font-size:22px;line-height:1.3;font-weight:600;letter-spacing:-.01em}
        .tile>span{display:block;color:var(--soft);font-size:13px}
        .gain{color:var(--c1)}.loss{color:var(--c2)}
        section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px 16px;\
        margin:0 0 18px}
        h2{font-size:18px;margin:0 0 2px}h3{font-size:15px;margin:22px 0 6px;overflow-wrap:anywhere}
        h3:first-child{margin-top:0}
        .sub,.note{color:var(--soft);font-size:13.5px;margin:0 0 10px;max-width:92ch}.note{margin:6px 0 0}
        .chart{margin:14px 0 4px}figcaption{font-size:14px;margin:0 0 6px;display:flex;flex-wrap:wrap;\
        align-items:baseline;gap:2px 8px}
        .unit{color:var(--soft);font-size:13px;font-weight:400}.legend{margin-left:auto;display:flex;flex-wrap:wrap;gap:2px 14px;\
        font-size:13px;color:var(--soft)}
        .k{display:inline-flex;align-items:center;gap:6px;white-space:nowrap}.k i{width:16px;height:0;\
        border-top:2px solid}.k i.dash{border-top-style:dashed}.k i.area{height:10px;border:0;\
        background:currentColor;border-radius:2px;opacity:.55;width:12px}
        .k i.c1,.k i.gainbar{color:var(--c1)}.k i.c2,.k i.lossbar{color:var(--c2)}.k i.c3{color:var(--c3)}\
        .k i.c4{color:var(--c4)}.k i.c5{color:var(--c5)}.k i.fee{color:var(--fee)}.k i.gainbar,.k i.lossbar{\
        opacity:.85}.k i.fee{opacity:1}
        .frame{display:flex}.frame svg.y{flex:none}.plot{flex:1;min-width:0;position:relative}
        svg{display:block;overflow:visible}svg.ks{display:inline-block}
        svg text{font-size:12px;fill:var(--soft)}
        .g{stroke:var(--grid)}.z{stroke:var(--zero)}.t{stroke:var(--zero)}
        path{fill:none;vector-effect:non-scaling-stroke}
        path.l{stroke-width:1.6;stroke-linejoin:round}path.a{stroke:none;opacity:.16}
        path.c1{stroke:var(--c1)}path.c2{stroke:var(--c2)}path.c3{stroke:var(--c3)}path.c4{stroke:var(--c4)}\
        path.c5{stroke:var(--c5)}path.thin{stroke-width:1.2}path.main{stroke-width:2}
        path.a.c1{fill:var(--c1)}path.a.c2{fill:var(--c2);opacity:.22}path.a.c3{fill:var(--c3)}\
        path.a.c4{fill:var(--c4)}path.a.c1,path.a.c2,path.a.c3,path.a.c4{stroke:none}
        path.fair{stroke:var(--soft);stroke-dasharray:5 4}
        path.band{fill:var(--fee);opacity:.2}
        .buy{fill:var(--c1);stroke:var(--c1)}.sell{fill:var(--c2);stroke:var(--c2)}
        .maker{fill:var(--card)}use{stroke-width:1.5;stroke-linejoin:round}
        .v{stroke:var(--soft);stroke-dasharray:3 3}.v.bad{stroke:var(--c2)}.v.good{stroke:var(--c3)}
        .h{stroke:var(--soft);stroke-dasharray:5 4}.s{opacity:.13}.s.bad{fill:var(--c2)}.s.mild{fill:var(--c5)}
        circle.pt{fill:var(--c1);fill-opacity:.75;stroke:var(--card)}line.wh{stroke:var(--c1);opacity:.55}
        circle.ev{stroke:var(--card);fill:var(--soft)}circle.ev.bad{fill:var(--c2)}circle.ev.good{fill:var(--c3)}\
        circle.ev.mild{fill:var(--c5)}
        .bars{display:grid;grid-template-columns:minmax(96px,max-content) minmax(0,1fr) max-content;\
        font-size:13.5px;align-items:center;margin:8px 0 2px}
        .bars>*{height:26px;line-height:26px}.bars>.n{padding-right:12px;overflow:hidden;text-overflow:ellipsis;\
        white-space:nowrap;max-width:38ch}.bars>.q{padding-left:12px;text-align:right;white-space:nowrap}
        .bars small{color:var(--soft);font-size:12.5px}
        rect.gainbar{fill:var(--c1);opacity:.85}rect.lossbar{fill:var(--c2);opacity:.85}rect.fee{fill:var(--fee)}
        rect.c1{fill:var(--c1)}rect.c2{fill:var(--c2)}rect.c3{fill:var(--c3)}rect.c4{fill:var(--c4)}\
        rect.c5{fill:var(--c5)}rect.cf{fill:var(--fee)}line.net{stroke:var(--ink);stroke-width:2}
        .cols{display:grid;grid-template-columns:1fr 1fr;gap:6px 36px;margin-top:18px}.cols>*{min-width:0}
        .square{max-width:470px}
        .scroll{overflow-x:auto;margin:8px 0 4px}table{border-collapse:collapse;width:100%;font-size:13.5px}
        th{color:var(--soft);font-weight:600;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
        td{text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
        th,td{padding:5px 0 5px 14px}th:first-child,td:first-child{padding-left:0}.x{text-align:left}
        td.x.wrap{white-space:normal;min-width:16ch;overflow-wrap:anywhere}tr.sum td{font-weight:600;\
        border-top:1px solid var(--zero)}
        .plain{margin:4px 0;padding-left:20px}.plain li{margin:2px 0;overflow-wrap:anywhere}
        details{margin:8px 0 0}summary{cursor:pointer;color:var(--c1);font-size:14px}
        pre{background:var(--bg);border-radius:6px;padding:12px;overflow-x:auto;font:12.5px/1.5 ui-monospace,\
        "SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;margin:8px 0}
        .tip{position:absolute;top:6px;pointer-events:none;background:var(--card);border:1px solid var(--line);\
        border-radius:6px;box-shadow:0 2px 10px #0003;padding:5px 9px;font-size:12.5px;line-height:1.45;\
        white-space:pre;z-index:2;display:none}.rule{position:absolute;top:8px;width:1px;background:var(--zero);\
        pointer-events:none;display:none}
        footer{color:var(--soft);font-size:13px;margin-top:24px}
        @media (max-width:760px){main{padding:18px 12px 40px}.tiles{grid-template-columns:1fr 1fr}\
        .cols{grid-template-columns:1fr}section{padding:14px 14px 12px;border-radius:8px}svg text.wide{display:none}\
        .tile b{font-size:19px}header h1{font-size:22px}.legend{margin-left:0}\
        .bars{grid-template-columns:minmax(0,1fr) max-content}.bars>.n{grid-column:1/-1;max-width:none;\
        padding:0;height:20px;margin-top:3px;line-height:20px}.bars small{display:none}}
        @media print{body{background:#fff}section{break-inside:avoid;border-color:#ccc}nav{display:none}}

        """

    static let script: HTML = """
        //<![CDATA[
        (function(){'use strict';
        var minus='\\u2212';
        function group(t){return t.replace(/\\B(?=(\\d{3})+(?!\\d))/g,',')}
        function show(v,f,s){var a=Math.abs(v),d;
         if(f==='percent')return (v<0?minus:'')+(a*100).toFixed(1)+' %';
         if(f==='price')d=4;else if(f==='money')d=2;else d=s<10?2:0;
         var p=a.toFixed(d).split('.');if(f==='price')p[1]=p[1].replace(/00$/,'');
         return (v<0&&Number(a.toFixed(d))?minus:'')+(f==='number'?'':'$')+group(p[0])+(p[1]?'.'+p[1]:'')}
        function trace(d){var m=d.match(/[MHVLZ][^MHVLZ]*/g)||[],o=[],x=0,y=0;
         m.forEach(function(t){var c=t[0],n=t.slice(1).trim().split(' ').map(Number);
          if(c==='M'){o.push([n[0],null]);x=n[0];y=n[1]}else if(c==='H')x=n[0];else if(c==='V')y=n[0];
          else if(c==='L'){x=n[0];y=n[1]}o.push([x,y])});return o}
        document.querySelectorAll('.plot[data-x]').forEach(function(plot){
         var X=plot.dataset.x.split(' ').map(Number),Y=plot.dataset.y.split(' ').map(Number),
          h=Number(plot.dataset.h),lines=null,
          tip=document.createElement('div'),rule=document.createElement('div');
         tip.className='tip';rule.className='rule';rule.style.height=h+'px';
         plot.appendChild(tip);plot.appendChild(rule);
         function hide(){tip.style.display=rule.style.display='none'}
         function move(e){
          var r=plot.getBoundingClientRect(),f=(e.clientX-r.left)/r.width;
          if(f<0||f>1){hide();return}
          if(!lines)lines=[].map.call(plot.querySelectorAll('path[data-n]'),function(p){
           return {n:p.dataset.n,t:trace(p.getAttribute('d'))}});
          var rows=[];
          if(plot.dataset.o){var t=new Date(Number(plot.dataset.o)+1000*(X[0]+f*(X[1]-X[0])));
           rows.push(t.toISOString().slice(0,19).replace('T',' '))}
          lines.forEach(function(l){var y=null,at=f*1000;
           for(var i=0;i<l.t.length&&l.t[i][0]<=at;i++)y=l.t[i][1];
           if(y!==null)rows.push(l.n+'  '+show(Y[1]-y/h*(Y[1]-Y[0]),plot.dataset.f,Math.abs(Y[1]-Y[0])))});
          if(rows.length<(plot.dataset.o?2:1)){hide();return}
          tip.textContent=rows.join('\\n');tip.style.display=rule.style.display='block';
          rule.style.left=f*r.width+'px';
          var w=tip.offsetWidth;tip.style.left=(f*r.width+w+14>r.width?f*r.width-w-10:f*r.width+10)+'px'}
         plot.addEventListener('pointermove',move);plot.addEventListener('pointerdown',move);
         plot.addEventListener('pointerleave',hide)})})();
        //]]>
        """

    /// Marks that plots refer to by name, around the origin: triangles for fills.
    static let symbols: HTML = #"""
        <svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs><path id="up" d="M0 -5L4.6 3.4H-4.6Z" style="fill:inherit;stroke:inherit"/><path id="down" d="M0 5L4.6 -3.4H-4.6Z" style="fill:inherit;stroke:inherit"/></defs></svg>

        """#
}

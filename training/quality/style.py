"""How the page looks: light and dark, on a desk, on a phone, and on paper."""

STYLE = """
:root{color-scheme:light dark;--back:#fff;--soft:#f3f5f6;--line:#d9dee2;--text:#1b2125;--dim:#59646c;--accent:#0a6c74;--fill:#cfe6e8;
--high:#b3261e;--high-back:#fdeceb;--medium:#8a5200;--medium-back:#fdf3e3;--low:#3f5566;--low-back:#eef3f6}
@media (prefers-color-scheme:dark){:root{--back:#14181b;--soft:#1d2327;--line:#343d43;--text:#e6eaec;--dim:#a0abb2;--accent:#5cc3cb;
--fill:#1f4a4e;--high:#ff9d94;--high-back:#3a1d1b;--medium:#f2bd6b;--medium-back:#342a17;--low:#a9c1d1;--low-back:#1f282e}}
@media print{:root{color-scheme:light;--back:#fff;--soft:#f3f5f6;--line:#c9cfd3;--text:#000;--dim:#444;--accent:#0a6c74;--fill:#cfe6e8;
--high:#b3261e;--high-back:#fff;--medium:#8a5200;--medium-back:#fff;--low:#3f5566;--low-back:#fff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px}
h2{font-size:1.3rem;line-height:1.25;margin:44px 0 8px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:26px 0 6px}
p{margin:6px 0 10px;max-width:76ch}
.dim,figcaption span,caption,small{color:var(--dim)}
small{font-size:.84rem}
a{color:var(--accent)}
nav{margin:12px 0 0;display:flex;flex-wrap:wrap;gap:4px 18px}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--soft);padding:1px 4px;border-radius:3px;
overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px;margin:18px 0 0;padding:0}
.tiles div{background:var(--soft);border-radius:8px;padding:10px 14px}
.tiles dt{color:var(--dim);font-size:.86rem;line-height:1.3}
.tiles dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles dd small{font-weight:400}
.findings{list-style:none;margin:12px 0 0;padding:0;display:grid;gap:10px}
.findings li{border-left:4px solid var(--low);background:var(--low-back);border-radius:0 8px 8px 0;padding:10px 14px;break-inside:avoid}
.findings li.high{border-color:var(--high);background:var(--high-back)}
.findings li.medium{border-color:var(--medium);background:var(--medium-back)}
.findings p{margin:0;max-width:96ch;overflow-wrap:anywhere}
.findings p+p{color:var(--dim);margin-top:2px}
.mark{font-size:.74rem;font-weight:700;text-transform:uppercase;letter-spacing:.05em;color:var(--low)}
.mark.high{color:var(--high)}.mark.medium{color:var(--medium)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:10px 0 4px;font-size:.92rem;line-height:1.4}
caption{text-align:start;padding-bottom:4px}
th{text-align:start;font-weight:600;color:var(--dim);border-bottom:1px solid var(--line);padding:6px 14px 6px 0;vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:7px 14px 7px 0;vertical-align:top;overflow-wrap:anywhere}
td:last-child,th:last-child{padding-right:0}
tr{break-inside:avoid}
.number{text-align:end;font-variant-numeric:tabular-nums;overflow-wrap:normal;white-space:nowrap}
td ul{margin:0;padding:0;list-style:none}
bdi{overflow-wrap:anywhere}
.hash{white-space:nowrap}
.track{display:block;height:6px;background:var(--fill);border-radius:3px;overflow:hidden;min-width:70px;margin-top:5px}
.track i{display:block;height:100%;background:var(--accent)}
.track.lack{background:var(--soft)}.track.lack i{background:var(--medium)}
.ranks{list-style:none;margin:6px 0;padding:0;display:grid;gap:5px 28px;grid-template-columns:repeat(auto-fit,minmax(280px,1fr))}
.ranks li{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 10px;font-size:.92rem;line-height:1.35;break-inside:avoid}
.ranks .track{grid-column:1/-1;margin-top:2px}
.ranks span{color:var(--dim);font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:22px 28px;margin:14px 0}
figure{margin:0;max-width:460px;display:flex;flex-direction:column;justify-content:space-between;break-inside:avoid}
figcaption{font-size:.9rem;line-height:1.4;margin-bottom:4px}
svg.plot{display:block;width:100%;height:auto}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--dim)}
svg.spark{width:120px;height:28px;display:block}
.bar{fill:var(--accent)}.grid{stroke:var(--line);stroke-width:1}.equal{stroke:var(--dim);stroke-width:1;stroke-dasharray:4 4}
.line{fill:none;stroke:var(--accent);stroke-width:2}.area{fill:var(--fill)}
details{margin:8px 0}summary{cursor:pointer;color:var(--accent)}
footer{margin-top:48px;padding-bottom:32px;color:var(--dim);font-size:.88rem}
@media (max-width:700px){
body{font-size:15px}main,header,footer{padding-left:14px;padding-right:14px}
.tiles{grid-template-columns:repeat(2,1fr)}.tiles dd{font-size:1.15rem}
thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
table,tbody,tr,td,caption{display:block}
tr{border:1px solid var(--line);border-radius:8px;padding:8px 12px;margin:0 0 10px}
td,td.number{border:0;padding:3px 0;text-align:start;white-space:normal;display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:8px}
td::before{content:attr(data-label);color:var(--dim);font-size:.86rem}
td:empty{display:none}
}
@media print{nav{display:none}body{font-size:11pt}h2{break-after:avoid}details>*{display:block}}
""".strip()

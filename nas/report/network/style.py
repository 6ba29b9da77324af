"""The look of a drawing, in light and in dark, as one style sheet for a file or for a page of many drawings."""

STYLE = """\
.net{--ink:#1b1f24;--soft:#5b6570;--paper:#fff;--card:#f6f8fa;--line:#c9d1d9;--flow:#8796a5;
--conv:#2f6fb5;--linear:#8a4fbe;--pool:#2b8a5f;--arc:#d9730d;--norm:#9aa7b4;--relu:#d29922;
font:12px/1.3 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink)}
@media (prefers-color-scheme:dark){.net{--ink:#e6edf3;--soft:#9aa6b2;--paper:#0f141a;--card:#1a212a;--line:#38424e;
--flow:#66778a;--conv:#5aa2f0;--linear:#b98af0;--pool:#4fc08d;--arc:#f0944d;--norm:#6f7d8b;--relu:#e3b341}}
.net text{fill:var(--ink)}.net .soft{fill:var(--soft);font-size:11px}.net .name{font-weight:600;font-size:13px}
.net .paper{fill:var(--paper)}.net .card{fill:var(--card);stroke:var(--line)}
.net .flow{fill:none;stroke:var(--flow);stroke-linecap:round}.net .wire{stroke-width:1.4}
.net .arc{fill:none;stroke:var(--arc);stroke-width:1.6}.net .many{stroke-width:1;opacity:.55}
.net .base{fill:var(--paper)}.net .box{stroke-width:1.2}.net .label{font-size:10.5px;text-anchor:middle}
.net .conv{fill:var(--conv);stroke:var(--conv)}.net .linear{fill:var(--linear);stroke:var(--linear);fill-opacity:.25}
.net .pool{fill:var(--pool);stroke:var(--pool);fill-opacity:.22}
.net .plain{fill:var(--soft);stroke:var(--soft);fill-opacity:.12}
.net .join{fill:var(--paper);stroke:var(--arc);stroke-width:1.6}
.net .k1{fill-opacity:.1}.net .k3{fill-opacity:.28}.net .k5{fill-opacity:.48}
.net .norm{fill:var(--norm)}.net .relu{fill:var(--relu)}
.net .rail{fill:var(--line);opacity:.55}.net .share{fill:var(--conv)}
"""

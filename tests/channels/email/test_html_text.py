"""HTML to text."""

import pytest

from channels.email.html_text import html_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div><br></div><div>x</div>", "x"),
        ("a&nbsp;&amp;&#44032;&lt;b&gt;", "a &가<b>"),
        ("<style>p{}</style><script>if (a<b) {}</script>x<head><title>t</title></head>", "x"),
        ("<STYLE>p</STYLE>x", "x"),
        ("<style>never closed x", "never closed x"),
        ("<!-- hidden --> shown <!-- open", "shown"),
        ("<![if !mso]>x<![endif]><?xml y?>", "x"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n\n> > b\n\nc"),
        ("</blockquote></pre>x", "x"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<a href='x>y'>link</a>", "y'>link"),
        ("<b>unclosed", "unclosed"),
        ("text <b", "text"),
        ("a   \n\t b", "a b"),
        ("<o:p>&nbsp;</o:p><p class=MsoNormal>x</p>", "x"),
    ],
)
def test_html_becomes_what_is_seen(source: str, text: str) -> None:
    assert html_to_text(source) == text

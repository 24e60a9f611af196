"""What is new in a mail, and what it repeats: the quote of the mail that it answers, and the signature.

Nothing is lost: each line stands in exactly one of the two. A line is folded only where it is sure that a mail program put it
there; forwarded mails are what the sender wants to be read, and answers between the lines of a quote are kept in sight
together with what they answer. One pass over the lines, and no pattern sees more than `_LONG` characters.
"""

from __future__ import annotations

import re

from msgspec import Struct

_LONG = 400  # characters of a line that a mail program writes above a quote
_MAX_WRAPPED = 4  # lines that such a line may be wrapped into

_VERB = re.compile(
    r"\b(?:wrote|writes|sent|said|schrieb|geschrieben|(?:a |à )?(?:é|e)crit|escribi[óo]|escreveu|ha scritto|scrisse|skrev|"
    r"schreef|geschreven|kirjoitti|napisał(?:a|\(a\))?|pisze|написал(?:а|\(а\))?|пишет|yazdı|yazmış|yazdi|a scris|írta|"
    r"napsal(?:\(a\)|a)?|napísal|έγραψε|escriviu|va escriure|je napisa[ol]|написав)\b|写道|寫道|のメール|님이 작성|כתב|كتب",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"[-\s*>]*(?:On|Am|Le|El|Il|Op|Em|Den|Dne|Dnia|W dniu|Em|În data|Pe|Em|Il giorno|Les?|Le|Va|På|Στις|На|В|"
    r"(?:\w{2,12},? )?\d{1,4}[./年 -])\s?",
)
_WHEN = re.compile(r"\d{1,2}[:.h]\d{2}|\b\d{4}\b|\d{1,2}[./]\d{1,2}[./]\d{2}")
_TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
_ENDS_WITH_ADDRESS = re.compile(r"<[^<>\s]+@[^<>]+>\s*:?$")
_GMAIL_OLD = re.compile(r"\d{4}/\d{1,2}/\d{1,2} [^<]{0,100}<[^<>\s]+@[^<>\s]+>$")

_LABELS = {
    "from": "from von de da van från fra lähettäjä od от от кого от: kimden gönderen mittente remitente expéditeur "
    "feladó odesílatel nadawca afsender avsender expeditor desde 发件人 寄件者 差出人 보낸사람",
    "date": "date sent datum gesendet data envoyé enviado fecha verzonden skickat sendt dato lähetetty päivämäärä wysłano "
    "дата отправлено gönderildi tarih gönderilme inviato odesláno elküldve dátum datums sendt 发送时间 日期 送信日時 日時 날짜",
    "to": "to an à para a aan till til vastaanottaja do кому kime alıcı destinatario címzett komu către 收件人 宛先 받는사람",
    "subject": "subject betreff objet asunto assunto oggetto onderwerp ämne emne aihe temat тема konu tárgy předmět predmet "
    "subiect 主题 主旨 件名 제목",
    "cc": "cc kopie copie copia kopia kopi kopio dw копия bilgi kópia másolat cópia kopie 抄送",
}
_KIND_OF = {name: kind for kind, names in _LABELS.items() for name in names.split()} | {
    "от кого": "from", "enviado el": "date", "enviada em": "date", "reply-to": "cc", "gönderme tarihi": "date",
    "e-mail від": "from", "date d'envoi": "date",
}  # fmt: skip
_LABEL = re.compile(r"[\s>*_]*([^\W\d_][\w'’ -]{0,20}?)\s?\*{0,2}\s?[:：]\*{0,2}(?:\s|$)")
_ORIGINAL = re.compile(
    r"[\s>*]*[-_=]{2,}\s*(?:original(?:e|-)? ?(?:message|nachricht|bericht|meddelande|meddelelse|email|appointment)|"
    r"ursprüngliche nachricht|message d'origine|message original|mensaje original|mensagem original|messaggio originale|"
    r"oorspronkelijk bericht|origineel bericht|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|"
    r"alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|исходное сообщение|orijinal (?:ileti|mesaj)|"
    r"özgün (?:ileti|mesaj)|reply message|původní (?:zpráva|e-mail)|eredeti üzenet|原始邮件)\s*[-_=]{2,}",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"[\s>*]*(?:-{2,}\s*(?:weitergeleitete|forwarded|(?:e-?mail )?transf[ée]r|message (?:transf|r[ée]exp)|mensaje reenv|"
    r"mensagem (?:encam|reenc)|messaggio (?:inoltr)|doorgestuurd|vidarebefor|videresen|välitetty|edelleen|yönlendir|iletilen|"
    r"iletilmiş|przekaz|пересыл|переадрес|přeposlan|továbbít|mesaj redirec|转发)|"
    r"(?:begin forwarded|begin doorgestuurd|anfang der weitergeleiteten|début du message (?:r[ée]exp|transf)|"
    r"inicio del mensaje reenv|inizio messaggio inoltrato|videresendt (?:melding|meddel)|vidarebefordrat|välitetty viesti|"
    r"iletilen ileti|ileti başlangıcı|início da mensagem|początek przek|начало пересыл|начало переадр|počátek přep)[^:]{0,40}:)",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|i|ilt|i̇lt|ileti|vs|vb|vl|fs|pd|pr|doorst|továbbítás|转发|轉寄|転送)\s?[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[-_=*─—]{5,}\s*$")
_SIGNATURE = re.compile(r"\s*(?:--|—) ?$")
_MOBILE = re.compile(
    r"\s*(?:sent from (?:my|outlook|mail|yahoo|proton|typeapp|bluemail|samsung|gmail|a |the )|get outlook for|"
    r"von meinem .{2,40} gesendet|gesendet (?:von|mit)|envoy[ée] (?:de|depuis|à partir)|enviado (?:desde|do|de meu)|"
    r"inviato da|verzonden (?:vanaf|met|via)|skickat från|sendt fra|lähetetty|wysłan[eo] z|отправлено (?:с|из)|"
    r"\w+['’]?[ım]?[dt][ae]n gönderildi|.{0,30}\b(?:iphone|ipad|android|telefon|samsung)\S{0,12} gönderildi|"
    r"outlook['’ ]\w+ gönderildi|tr[iı]m[ií]te de pe)",
    re.IGNORECASE,
)
_MAX_SIGNATURE = 12  # lines


class Split(Struct, frozen=True):
    """A text in two: what is shown, and what is folded away (None where nothing is)."""

    text: str
    quoted: str | None = None


def split(text: str, subject: str = "") -> Split:
    """Folds the quote and the signature of a mail; `subject` tells whether it is a forward."""
    lines = text.split("\n")
    end = _forwarded(lines)
    start = _quote_start(lines[:end], forwarded=bool(_FORWARD_SUBJECT.match(subject)))
    hidden = _hidden(lines[:end], start, open_end=end == len(lines))
    shown = [line for number, line in enumerate(lines) if number not in hidden]
    if not hidden or not any(line.strip() for line in shown):
        return Split(text.strip("\n"))
    folded = "\n".join(lines[number] for number in sorted(hidden)).strip("\n")
    return Split("\n".join(shown).strip("\n"), folded or None)


def _forwarded(lines: list[str]) -> int:
    """Where a forwarded mail begins: from there on all is content. The number of lines where there is none."""
    for number, line in enumerate(lines):
        if len(line) <= _LONG and ("-" in line or ":" in line) and _FORWARD.match(line):
            return number
    return len(lines)


def _quote_start(lines: list[str], *, forwarded: bool) -> int:
    """The line at which a mail program began the quote; the number of lines where none did."""
    for number, line in enumerate(lines):
        if not line or len(line) > _LONG:
            continue
        plain = line.rstrip(" \t*")
        if plain.endswith((":", "：", ">")) and not line.startswith(">"):
            begin = _attribution(lines, number)
            if begin is not None:
                return begin
        if forwarded:
            continue
        if _ORIGINAL.match(line) or _is_header_block(lines, number):
            before = number - 1
            while before > 0 and not lines[before].strip():
                before -= 1
            return before if before > 0 and _RULE.match(lines[before]) else number
    return len(lines)


def _attribution(lines: list[str], last: int) -> int | None:
    """The first line of a sentence such as `On … wrote:` that ends on the line `last`; None where it is none."""
    sentence, first = "", last
    for number in range(last, max(-1, last - _MAX_WRAPPED), -1):
        if not lines[number].strip() or len(lines[number]) > _LONG:
            break
        sentence = f"{lines[number].strip()} {sentence}".strip()
        if _is_attribution(sentence, _followed_by_quote(lines, last)):
            first = number
            if _BEGINS.match(lines[number]):
                return number
        elif first < last:
            break
    return (
        first
        if _is_attribution(" ".join(map(str.strip, lines[first : last + 1])), _followed_by_quote(lines, last))
        else None
    )


def _is_attribution(sentence: str, quote_follows: bool) -> bool:
    sentence = sentence.strip("* ")
    if _VERB.search(sentence) and sentence.endswith((":", "：")):
        return bool(
            _TIME.search(sentence) or "@" in sentence or (quote_follows and _WHEN.search(sentence)) or quote_follows
        )
    if _ENDS_WITH_ADDRESS.search(sentence) and _WHEN.search(sentence):
        return (sentence.endswith(":") and bool(_TIME.search(sentence))) or (
            quote_follows and bool(_GMAIL_OLD.match(sentence))
        )
    return False


def _followed_by_quote(lines: list[str], number: int) -> bool:
    following = next((line for line in lines[number + 1 : number + 4] if line.strip()), "")
    return following.lstrip().startswith(">")


def _is_header_block(lines: list[str], start: int) -> bool:
    """Outlook's way: `From: … Sent: … To: … Subject:` on neighbouring lines, in any order and language."""
    first = _label(lines[start])
    if first not in ("from", "date"):
        return False
    kinds, blank = {first}, 0
    block = [lines[start]]
    for line in lines[start + 1 : start + 12]:
        kind = _label(line)
        blank = 0 if line.strip() else blank + 1
        if blank > 1 or (kind is None and blank == 0 and len(kinds) > 3):
            break
        if kind:
            kinds.add(kind)
            block.append(line)
    words = " ".join(block)
    return len(kinds) >= 3 or (len(kinds) == 2 and "@" in words and bool(_TIME.search(words)))


def _label(line: str) -> str | None:
    found = _LABEL.match(line[:60])
    return _KIND_OF.get(found[1].lower().strip()) if found else None


def _hidden(lines: list[str], start: int, *, open_end: bool) -> set[int]:
    """The numbers of the lines to fold."""
    hidden = _quote(lines, start) if start < len(lines) else set()
    if not hidden and open_end:
        hidden = _trailing_quote(lines, len(lines))
    visible = min(hidden, default=len(lines))
    return hidden | _signature(lines, visible)


def _quote(lines: list[str], start: int) -> set[int]:
    marked = [number for number in range(start, len(lines)) if lines[number].lstrip().startswith(">")]
    intro = next((n for n in range(start, min(len(lines), start + _MAX_WRAPPED + 3)) if n in marked[:1]), None)
    if intro is None:
        return set(range(start, len(lines)))
    answers = [n for n in range(intro, len(lines)) if lines[n].strip() and not lines[n].lstrip().startswith(">")]
    if not answers:
        return set(range(start, len(lines)))
    after = next((number for number in marked if number > answers[0]), None)
    if after is None:
        return set(range(start, answers[0]))
    return _trailing_quote(lines, len(lines))


def _trailing_quote(lines: list[str], end: int) -> set[int]:
    first = end
    while first > 0 and (not lines[first - 1].strip() or lines[first - 1].lstrip().startswith(">")):
        first -= 1
    found = set(range(first, end))
    return found if any(lines[number].strip() for number in found) else set()


def _signature(lines: list[str], end: int) -> set[int]:
    last = end
    while last > 0 and not lines[last - 1].strip():
        last -= 1
    for number in range(last - 1, max(-1, last - _MAX_SIGNATURE - 1), -1):
        line = lines[number]
        if len(line) <= _LONG and (_SIGNATURE.match(line) or (_MOBILE.match(line) and number >= last - 2)):
            return set(range(number, end))
    return set()

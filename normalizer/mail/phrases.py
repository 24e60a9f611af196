"""What mail programs write around quotes, forwarded mails and signatures, in the languages of their users.

A pattern here is matched against one line, or a few joined ones, of bounded length (`normalizer.mail.quotes`).
"""
# The letters are those of their languages:
# ruff: noqa: RUF001

from __future__ import annotations

import re

# The verb of `On … wrote:`.
WROTE = re.compile(
    r"\b(?:wrote|writes|sent|said|schrieb|geschrieben|(?:a |à )?(?:é|e)crit|escribi[óo]|escreveu|ha scritto|scrisse|"
    r"skrev|schreef|geschreven|kirjoitti|napisał(?:a|\(a\))?|pisze|написал(?:а|\(а\))?|пишет|yazdı|yazmış|yazdi|"
    r"a scris|írta|napsal(?:\(a\)|a)?|napísal|έγραψε|escriviu|va escriure|je napisa[ol]|написав)\b|"
    r"写道|寫道|のメール|님이 작성|כתב|كتب",
    re.IGNORECASE,
)
# How the sentence begins, where it is wrapped and its first line must be found.
WROTE_BEGINS = re.compile(
    r"[-\s*>]*(?:On|Am|Les?|El|Il(?: giorno)?|Op|Em|Den|Dne|Dnia|W dniu|În data|Pe|Va|På|Στις|На|В|"
    r"(?:\w{2,12},? )?\d{1,4}[./年 -])\s?",
)
TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
ENDS_WITH_ADDRESS = re.compile(r"<[^<>\s]+@[^<>]+>\s*:?$")
# `2012/10/12 Ann <ann@example.com>`, which Gmail once wrote in Japan.
DATE_AND_ADDRESS = re.compile(r"\d{4}/\d{1,2}/\d{1,2} [^<]{0,100}<[^<>\s]+@[^<>\s]+>$")

# `Label: value`, as in the block that Outlook puts above a quote.
LABEL = re.compile(r"[\s>*_]*([^\W\d_][\w'’ -]{0,20}?)\s?\*{0,2}\s?[:：]")
_LABELS = {
    "from": "from von de da van från fra lähettäjä od от kimden gönderen mittente remitente expéditeur feladó "
    "odesílatel nadawca afsender avsender expeditor desde 发件人 寄件者 差出人 보낸사람",
    "date": "date sent datum gesendet data envoyé enviado fecha verzonden skickat sendt dato lähetetty päivämäärä "
    "wysłano дата отправлено gönderildi tarih inviato odesláno elküldve dátum 发送时间 日期 送信日時 日時 날짜",
    "to": "to an à para a aan till til vastaanottaja do кому kime alıcı destinatario címzett komu către 收件人 宛先 "
    "받는사람",
    "subject": "subject betreff objet asunto assunto oggetto onderwerp ämne emne aihe temat тема konu tárgy předmět "
    "predmet subiect 主题 主旨 件名 제목",
    "cc": "cc kopie copie copia kopia kopi kopio dw копия bilgi kópia másolat cópia reply-to 抄送",
}
LABEL_KINDS = {name: kind for kind, names in _LABELS.items() for name in names.split()} | {
    "от кого": "from",
    "enviado el": "date",
    "enviada em": "date",
    "envoyé le": "date",
    "date d'envoi": "date",
    "gönderme tarihi": "date",
    "gönderilme zamanı": "date",
}

# `-----Original Message-----`.
ORIGINAL = re.compile(
    r"[\s>*]*[-_=]{2,}\s*(?:original(?:e|-)? ?(?:message|nachricht|bericht|meddelande|meddelelse|email|appointment)|"
    r"ursprüngliche nachricht|message d'origine|message original|mensaje original|mensagem original|"
    r"messaggio originale|oorspronkelijk bericht|origineel bericht|ursprungligt meddelande|oprindelig meddelelse|"
    r"opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|исходное сообщение|"
    r"orijinal (?:ileti|mesaj)|özgün (?:ileti|mesaj)|reply message|původní (?:zpráva|e-mail)|eredeti üzenet|"
    r"原始邮件)\s*[-_=]{2,}|"
    # Zoho's: `---- On … wrote ----`.
    r"[\s>*]*-{2,} on .{10,200}\d{1,2}:\d{2}.{0,200} wrote -{2,}",
    re.IGNORECASE,
)
# A line of nothing but strokes, which some programs put above all this.
RULE = re.compile(r"\s*[-_=*─—]{5,}\s*$")

FORWARDED = re.compile(
    r"[\s>*]*(?:-{2,}\s*(?:weitergeleitete|forwarded|(?:e-?mail )?transf[ée]r|message (?:transf|r[ée]exp)|"
    r"mensaje reenv|mensagem (?:encam|reenc)|messaggio inoltr|doorgestuurd|vidarebefor|videresen|välitetty|edelleen|"
    r"yönlendir|iletilen|iletilmiş|przekaz|пересыл|переадрес|přeposlan|továbbít|mesaj redirec|转发)|"
    r"(?:begin forwarded|begin doorgestuurd|anfang der weitergeleiteten|début du message (?:r[ée]exp|transf)|"
    r"inicio del mensaje reenv|inizio messaggio inoltrato|videresendt (?:melding|meddel)|vidarebefordrat|"
    r"välitetty viesti|iletilen ileti|ileti başlangıcı|início da mensagem|początek przek|начало пересыл|"
    r"начало переадр|počátek přep)[^:]{0,40}:)",
    re.IGNORECASE,
)
FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|i|ilt|i̇lt|ileti|vs|vb|vl|fs|pd|pr|doorst|továbbítás|转发|轉寄|転送)\s?[:：]",
    re.IGNORECASE,
)

SIGNATURE = re.compile(r"\s*(?:--|—) ?$")
# `Sent from my phone`, alone on its line. Without `my`, only a device or a program's name makes sure of it.
_DEVICE = (
    r"[^,.]{0,30}(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|nokia|blackberry|windows|outlook|yahoo|gmail|mail|"
    r"proton|app|phone|mobil|móvil|movil|handy|t[ée]l[ée]phone|telefon|tablet|cihaz|ordenador|telefoon)"
)
_PLATFORM = r"(?:iphone|ipad|ios|android|windows|mac)"
# What invites to the program: the verb is first, or last, or there is none and a link behind it instead.
_OUTLOOK = (
    r"(?:(?:get|download|holen sie sich|obten(?:ez|ir)|téléchargez?r?|obt(?:ener|enga|én)|consiga|descarg(?:ar|ue)|"
    r"ottieni|scarica|obter|obtenha|hämta|hent|pobierz|установите|скачать) )outlook \w{2,4} "
    rf"{_PLATFORM}|outlook \w{{2,4}} {_PLATFORM}(?: (?:herunterladen|beziehen|laden|downloaden|ophalen)|(?=\s?<http))|"
    rf"{_PLATFORM} için outlook['’]?[uı]n?[uı]? (?:edinin|alın|indirin)"
)
MOBILE_SIGNATURE = re.compile(
    rf"\s*(?:sent from my [\w. -]{{2,30}}|{_OUTLOOK}|(?:sent (?:from|via|with)|gesendet (?:von|mit)|"
    rf"envoy[ée] (?:de|depuis|à partir de)|enviado (?:desde|do|de)|inviato da|verzonden (?:vanaf|met|via)|skickat från|"
    rf"sendt fra|wysłan[eo] z|отправлено (?:с|из)|tr[iı]m[ií]te de pe){_DEVICE}(?:\]\(https?://[^()\s]{{1,200}}\))?[^,.]{{0,25}}|"
    rf"(?:diese (?:nachricht|e-?mail) wurde )?von meinem{_DEVICE}[^,.]{{0,25}}gesendet|"
    rf"{_DEVICE}[\w'’]{{0,12}}[dt][ae]n gönderildi|{_PLATFORM} için [\w ]{{2,20}}(?:[dt][ae]n| ile) gönderildi)"
    r"(?:\s?<[^<>]{0,200}>)?[.\s]*$",
    re.IGNORECASE,
)

# Subjects of machines. A person may quote one: it counts beside a machine's address, or at the beginning.
BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|fail|report|notif|error|problem)|fail(?:ure|ed) (?:notice|deliver|mail)|"
    r"returned mail|mail (?:delivery|could not|undeliver|system error|failure|status)|returned to sender|delayed mail|"
    r"could not (?:be )?(?:deliver|send)|non.?deliver|not? (?:be )?delivered|warning: could not|email delivery|"
    r"delivery (?:has )?failed|mail failure|permanent (?:fail|error)|teslim edilemedi|iletilemedi|unzustellbar|"
    r"non remis|no se (?:pudo|ha podido) entregar|message blocked|rejected mail|mta-blocked",
    re.IGNORECASE,
)
AUTO_SUBJECT = re.compile(
    r"\s*(?:out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response|responder)|autosvar|"
    r"otomatik (?:yanıt|cevap)|ofis dışında|automatische (?:antwort|abwesenheits)|abwesenheits(?:notiz|meldung)|"
    r"abwesend|réponse automatique|absence du bureau|respuesta automática|fuera de (?:la )?oficina|"
    r"risposta automatica|fuori sede|automatisch antwoord|afwezigheid|resposta automática|vacation reply)\b"
    r"\s*(?:[:：(\-–]|$)",
    re.IGNORECASE,
)

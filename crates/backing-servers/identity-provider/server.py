"""The pages of the identity provider, and what tests tell it.

    server.py PORT FOLDER

    GET  /metadata            its metadata
    GET  /sso                 a sign-in request: asks who is there
    GET  /                    the same without a request: signs in to a service provider that it knows
    POST /sign-in             hands the answer on to the service provider
    GET  /slo                 a logout, or the answer to one
    GET  /sign-out            begins a logout (?peer, name_id, session_index)

    POST /service-providers   metadata of one more service provider
    POST /keys                {"published": [...], "signing": ...}, of "first" and "second"
    POST /respond             a wish, as Provider.respond takes it; answers with XML
    POST /refuse              {"in_response_to", "destination", "message"}; answers with XML
    POST /ask-for-logout      {"peer", "name_id", "session_index", "relay_state"}; answers with an address
"""

import base64
import html
import http.server
import json
import sys
import threading
import traceback
import urllib.parse

from provider import Provider

# The claims by which Entra names a person and their app roles.
OBJECT_IDENTIFIER = "http://schemas.microsoft.com/identity/claims/objectidentifier"
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""

WHO = """<form method="post" action="/sign-in">
<p><label>Name <input name="name_id" required autocomplete="off"></label></p>
<p><label>Object id <input name="object_identifier" autocomplete="off"></label></p>
<p><label>Roles, with commas between them <input name="roles" autocomplete="off"></label></p>
{hidden}
<p><button>Sign in</button></p>
</form>"""

HANDED_ON = """<form method="post" action="{action}">{hidden}<p><button>Continue</button></p></form>"""


def hidden(fields):
    inputs = (
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
        if value
    )
    return "".join(inputs)


class Pages(http.server.BaseHTTPRequestHandler):
    provider = None
    # pysaml2 keeps state in its server.
    lock = threading.Lock()

    def do_GET(self):
        self.answer({"/metadata": self.metadata, "/sso": self.sso, "/": self.start, "/slo": self.slo,
                     "/sign-out": self.sign_out})

    def do_POST(self):
        self.answer({"/sign-in": self.sign_in, "/service-providers": self.add_peer, "/keys": self.roll,
                     "/respond": self.respond, "/refuse": self.refuse, "/ask-for-logout": self.ask_for_logout})

    def answer(self, routes):
        address = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(address.query))
        self.text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        route = routes.get(address.path)
        if route is None:
            self.send(404, "text/plain", "There is nothing here.\n")
            return
        try:
            with self.lock:
                status, kind, text = route()
        except Exception:  # Whoever wrote the test wants to see it.
            traceback.print_exc()
            status, kind, text = 400, "text/plain", traceback.format_exc()
        self.send(status, kind, text)

    def send(self, status, kind, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Location" if status == 303 else "Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def page(self, title, body):
        return 200, "text/html; charset=utf-8", PAGE.format(title=html.escape(title), body=body)

    def metadata(self):
        return 200, "application/samlmetadata+xml", self.provider.metadata()

    def sso(self):
        request = self.provider.read_request(self.query)
        fields = {"peer": request.issuer.text, "in_response_to": request.id,
                  "relay_state": self.query.get("RelayState", "")}
        return self.page("Who are you?", WHO.format(hidden=hidden(fields)))

    def start(self):
        return self.page("Who are you?", WHO.format(hidden=hidden(self.query)))

    def sign_in(self):
        form = dict(urllib.parse.parse_qsl(self.text))
        consumer = self.provider.consumer_of(form["peer"])
        attributes = {}
        if "object_identifier" in form:
            attributes[OBJECT_IDENTIFIER] = form["object_identifier"]
        if "roles" in form:
            attributes[ROLE] = [role.strip() for role in form["roles"].split(",")]
        xml = self.provider.respond({
            "name_id": form["name_id"], "attributes": attributes, "destination": consumer,
            "audience": form["peer"], "in_response_to": form.get("in_response_to"),
        })
        fields = {"SAMLResponse": base64.b64encode(xml.encode()).decode(),
                  "RelayState": form.get("relay_state", "")}
        return self.page("Signed in", HANDED_ON.format(action=html.escape(consumer), hidden=hidden(fields)))

    def slo(self):
        if "SAMLRequest" in self.query:
            return 303, self.provider.answer_logout(self.query), ""
        self.provider.read_logout_answer(self.query)
        return self.page("Signed out everywhere", "")

    def sign_out(self):
        wish = self.query
        location = self.provider.ask_for_logout(wish["peer"], wish["name_id"], wish.get("session_index"), "")
        return 303, location, ""

    def add_peer(self):
        self.provider.add_peer(self.text)
        return 200, "text/plain", ""

    def roll(self):
        wish = json.loads(self.text)
        self.provider.roll(wish["published"], wish["signing"])
        return 200, "text/plain", ""

    def respond(self):
        return 200, "application/xml", self.provider.respond(json.loads(self.text))

    def refuse(self):
        return 200, "application/xml", self.provider.refuse(**json.loads(self.text))

    def ask_for_logout(self):
        return 200, "text/plain", self.provider.ask_for_logout(**json.loads(self.text))


def main():
    port, folder = int(sys.argv[1]), sys.argv[2]
    Pages.provider = Provider(f"http://127.0.0.1:{port}", folder)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages).serve_forever()


if __name__ == "__main__":
    main()

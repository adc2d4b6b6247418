"""What pysaml2 does as an identity provider: two signing keys to roll over, responses, and logouts."""

import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORD
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

# The two keys, of which one signs and one or both are published.
KEYS = ("first", "second")


class Provider:
    """An identity provider at `base`, whose keys and peers are in `folder`."""

    def __init__(self, base, folder):
        self.base = base
        self.entity_id = f"{base}/metadata"
        self.folder = pathlib.Path(folder)
        for name in KEYS:
            self._make_key(name)
        self.signing = KEYS[0]
        self.published = [KEYS[0]]
        self.peers = []
        self._configure()

    def _make_key(self, name):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Identity provider for tests, {name} key")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self._file(name, "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._file(name, "crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _file(self, name, extension):
        return self.folder / f"{name}.{extension}"

    def _config(self, published_first):
        others = [name for name in self.published if name != published_first]
        config = IdPConfig()
        config.load(
            {
                "entityid": self.entity_id,
                "key_file": str(self._file(published_first, "key")),
                "cert_file": str(self._file(published_first, "crt")),
                "additional_cert_files": [str(self._file(name, "crt")) for name in others],
                "signing_algorithm": SIG_RSA_SHA256,
                "digest_algorithm": DIGEST_SHA256,
                "metadata": {"inline": self.peers},
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [(f"{self.base}/sso", BINDING_HTTP_REDIRECT)],
                            "single_logout_service": [(f"{self.base}/slo", BINDING_HTTP_REDIRECT)],
                        },
                        "policy": {"default": {"lifetime": {"minutes": 60}, "attribute_restrictions": None}},
                    }
                },
            }
        )
        return config

    def _configure(self):
        self.server = Server(config=self._config(self.signing))

    def metadata(self):
        return str(entity_descriptor(self._config(self.published[0])))

    def add_peer(self, metadata):
        """Learns of a service provider by its metadata."""
        self.peers = [*self.peers, metadata]
        self._configure()

    def roll(self, published, signing):
        """Publishes these keys and signs with that one."""
        self.published, self.signing = published, signing
        self._configure()

    def consumer_of(self, peer):
        (binding, url) = self.server.pick_binding(
            "assertion_consumer_service", [BINDING_HTTP_POST], "spsso", entity_id=peer
        )
        assert binding == BINDING_HTTP_POST
        return url

    def read_request(self, query):
        """Reads a sign-in request, and checks its signature when it has one."""
        message = self.server.parse_authn_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT).message
        self._check_signature(query, message.issuer.text)
        return message

    def _check_signature(self, query, peer):
        if "Signature" not in query:
            return
        certificates = self.server.metadata.certs(peer, "spsso", "signing")
        backend = self.server.sec.sec_backend
        if not any(verify_redirect_signature(query, backend, certificate) for _, certificate in certificates):
            raise ValueError("the signature does not fit")

    def respond(self, wish):
        """The XML of a response as `wish` wants it; what it does not say is as usual."""
        name_id = NameID(format=wish.get("name_id_format", NAMEID_FORMAT_PERSISTENT), text=wish["name_id"])
        response = self.server.create_authn_response(
            identity=wish.get("attributes", {}),
            in_response_to=wish.get("in_response_to"),
            destination=wish["destination"],
            sp_entity_id=wish["audience"],
            name_id=name_id,
            authn={"class_ref": PASSWORD, "authn_auth": self.entity_id},
            issuer=wish.get("issuer"),
            sign_assertion=wish.get("sign_assertion", True),
            sign_response=wish.get("sign_response", False),
            sign_alg=wish.get("sign_alg", SIG_RSA_SHA256),
            digest_alg=wish.get("digest_alg", DIGEST_SHA256),
        )
        return str(response)

    def refuse(self, in_response_to, destination, message):
        """The XML of a response that signs nobody in."""
        return str(
            self.server.create_error_response(in_response_to, destination, Exception(message), sign=True)
        )

    def ask_for_logout(self, peer, name_id, session_index, relay_state):
        """The address by which a browser takes a logout to a service provider."""
        destination = self._logout_of(peer)
        name = NameID(format=NAMEID_FORMAT_PERSISTENT, text=name_id)
        _, request = self.server.create_logout_request(
            destination, peer, name_id=name, session_indexes=[session_index] if session_index else None
        )
        return self._redirect(request, destination, relay_state, response=False)

    def answer_logout(self, query):
        """Reads a logout and returns the address by which a browser takes the answer back."""
        message = self.server.parse_logout_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT).message
        self._check_signature(query, message.issuer.text)
        response = self.server.create_logout_response(message, [BINDING_HTTP_REDIRECT])
        destination = self._logout_of(message.issuer.text)
        response.destination = destination
        return self._redirect(response, destination, query.get("RelayState", ""), response=True)

    def read_logout_answer(self, query):
        """Reads the answer to a logout, which must be signed and say that it was done."""
        response = self.server.parse_logout_request_response(query["SAMLResponse"], BINDING_HTTP_REDIRECT)
        if "Signature" not in query or not response.status_ok():
            raise ValueError("the logout was not done, or nobody says so")
        self._check_signature(query, response.response.issuer.text)

    def _logout_of(self, peer):
        (_, url) = self.server.pick_binding(
            "single_logout_service", [BINDING_HTTP_REDIRECT], "spsso", entity_id=peer
        )
        return url

    def _redirect(self, message, destination, relay_state, response):
        sent = self.server.apply_binding(
            BINDING_HTTP_REDIRECT,
            str(message),
            destination,
            relay_state,
            response=response,
            sign=True,
            sigalg=SIG_RSA_SHA256,
        )
        return dict(sent["headers"])["Location"]

"""Checks a receipt. Needs PyJWT with its extra `crypto`: check_receipt.py RECEIPT KEYS"""

import json
import sys

import jwt

receipt = open(sys.argv[1]).read().strip()
keys = jwt.PyJWKSet.from_json(open(sys.argv[2]).read())
header = jwt.get_unverified_header(receipt)
# The algorithm and the type are ours to say, never the receipt's.
if header["typ"] != "access-end-receipt+jwt":
    sys.exit("this is no receipt")
claims = jwt.decode(receipt, keys[header["kid"]].key, algorithms=["EdDSA"])
print(json.dumps(claims, indent=2))

#!/bin/sh
# The main journey in five lines of curl; `make run` prints them. As a script: scripts/try.sh [PORTAL [SANDBOX]]
Z=${1:-http://127.0.0.1:8000} S=${2:-http://127.0.0.1:8100} J='Content-Type: application/json' D=$(mktemp -d)
of() { python3 -c "import json,sys; v=json.load(sys.stdin)['$1']; print(v if isinstance(v, str) else json.dumps(v))"; }

# Log in with one tap, as 霍明哲
CODE=$(curl -sS -H "$J" -d '{"person":"huomingzhe"}' $S/sandbox/wechat/codes | of code); A="Authorization: Bearer $(curl -sS -H "$J" -d "{\"code\":\"$CODE\"}" $Z/v1/citizen/sessions | of access_token)"; curl -sS -H "$A" $Z/v1/citizen/me; echo

# Under the real name
curl -sS -X PUT -H "$A" -H "$J" -d '{"name":"霍明哲","id_number":"999999198503122179","consent":"real-name@1"}' $Z/v1/citizen/me/identity; echo

# Prove it with the face: the sandbox is the camera, the engine is real
curl -sS -H "$A" -H "$J" -d '{"purpose":"step-up","consent":"face@1"}' $Z/v1/citizen/face-checks > $D/check; curl -sS -H "$J" -d "{\"actions\":$(of actions < $D/check)}" $S/sandbox/faces/huomingzhe/frames | (cd $D && python3 -c 'import base64,json,sys; [open(f"{i:02}.jpg","wb").write(base64.b64decode(f)) for i,f in enumerate(json.load(sys.stdin)["frames"])]'); curl -sS -H "$A" $(printf -- '-F frames=@%s ' $D/*.jpg) $Z/v1/citizen/face-checks/$(of id < $D/check)/evidence; echo

# Take the driving licence from its issuer
curl -sS -H "$A" -H "$J" -d '{"kind":"driving-licence"}' $Z/v1/citizen/certificates | tee $D/licence; echo

# Show it, and check it as a verifier would
CODE=$(curl -sS -H "$A" -H "$J" -d '{}' $Z/v1/citizen/certificates/$(of id < $D/licence)/presentations | of code); curl -sS -H "$J" -d "{\"code\":\"$CODE\"}" $Z/v1/verifiers/verifications; echo

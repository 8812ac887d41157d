"""The room: who is how far, told by those who agreed, seen by the instructor only.

One event is one JSON object::

    {"v": 1, "time": "2026-11-22T09:31:05.120+08:00", "seat": "12", "session": "5f0c…", "number": 7,
     "event": "check", "lesson": "m02_n02", "question": "E1", "outcome": "wrong", "tries": 2,
     "hints": 1, "carried": false, "misconception": "sample_amount"}

``event`` is join, leave, begin, check, hint or carry_on; ``outcome`` right, wrong, blank or broken;
``misconception`` the key of the question's named mistake or a kind of diagnosis
(:data:`course_utils.exercises.progress.event.DIAGNOSES`). Never an answer, never a value.
(session, number) tells a repeated event from a new one.

Ways out of the trainee's kernel (``course_utils.exercises.progress``), chosen by environment
--------------------------------------------------------------------------------------------
``COURSE_PROGRESS_URL``    base address of a collector, ``http://host:port[/prefix]/class``
``COURSE_PROGRESS_TOKEN``  what :func:`course_utils.classroom.tokens.seat_token` gave for this seat
``COURSE_SEAT``            the seat, where somebody else than the trainee decides it (a hub)
``COURSE_PROGRESS_DIR``    a shared folder instead of an address: one file a seat
``COURSE_PROGRESS_STATE``  folder for the decision and unsent events; default ``~/.course-progress``
in the browser class       nothing is set: events go to ``<origin of the page>/class``, the seat is
                           known by the cookie that the landing page set

Without any of these, ``cu.join("12", "192.168.1.5:8000")`` names the address. Nothing is sent
before ``cu.join(...)`` (or the landing page); ``cu.leave()`` ends it.

The collector (``course_utils.classroom.collector``)
----------------------------------------------------
::

    app = make_app(Room(ClassStore(folder), lessons), secret=..., key=..., prefix="", joining=True)

or as a process, for a hub's service (all from the environment, see ``main``)::

    COURSE_CLASS_FOLDER=... COURSE_PROGRESS_SECRET=... COURSE_ROOM_KEY=... \\
    python -m course_utils.classroom.collector --port 8090 --prefix /services/progress

=====  ==============================  =======================================================
POST   ``<prefix>/class/event``        ``{"events": [...]}`` → ``{"accepted": n}``
POST   ``<prefix>/class/join``         ``{"seat": "12", "again": false}`` → seat, token, cookie
POST   ``<prefix>/class/leave``        ``{"erase": false}``
GET    ``<prefix>/class/me``           ``{"seat": "12" or null}``
GET    ``<prefix>/class/room?key=…``   the instructor's page (the key becomes a cookie)
GET    ``<prefix>/class/room.json``    what the page shows; ``view=projector`` has no seats
GET    ``<prefix>/class/summary``, ``summary.md``, ``export.csv``, ``export.json``
GET    ``<prefix>/class/health``       ``{"ok": true}``
=====  ==============================  =======================================================

A trainee is known by ``Authorization: token <seat token>`` or by the cookie; a token says which
seat it is and is signed with the secret, so a seat can write only as itself and no list of tokens
is kept. With ``joining=False`` (a hub) seats cannot name themselves: only tokens made with the
secret count. Status: 401 unknown token, 409 not joined (or seat taken), 413 too much, 429 too fast,
507 disk full. After 401 and 409 the sender joins again if the trainee still agrees; after the
others it waits and keeps its events.

A hub gives each seat ``COURSE_PROGRESS_URL``, ``COURSE_SEAT`` and
``COURSE_PROGRESS_TOKEN=seat_token(secret, seat)`` and keeps secret and key out of the seats' reach.
The folder's ``plan.json`` (lessons, planned minutes, sentences of mistakes) is written by
:func:`course_utils.cli.room_plan.write_room_plan`; without it the room works, with fewer words.
"""

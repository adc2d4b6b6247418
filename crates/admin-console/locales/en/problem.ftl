### What went wrong, and what to do about it.

problem-invalid-title = That could not be understood
problem-invalid-text = Something in the request is missing or malformed. Go back, reload the page and try again.
problem-forbidden-title = You may not do this
problem-forbidden-text = Either only administrators may, and your account is an auditor’s, or the form was too old or came from somewhere else. Go back and reload the page; if it happens again, ask one of your administrators.
problem-method-title = That cannot be done here
problem-method-text = This address exists, but not for what was asked of it.
problem-large-title = That was too much
problem-large-text = The form holds more than we take. Shorten it and send it again.
problem-unavailable-title = Not at the moment
problem-unavailable-text = Something that this page needs does not answer. Nothing was changed. Try again in a minute.
problem-failed-title = Something went wrong on our side
problem-failed-text = Try again. If it happens again, tell our support the number below.
problem-request = Request { $id }

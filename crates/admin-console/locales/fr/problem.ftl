### What went wrong, and what to do about it.

problem-invalid-title = La demande n’a pas été comprise
problem-invalid-text = Il y manque quelque chose, ou quelque chose est mal formé. Revenez en arrière, rechargez la page et réessayez.
problem-forbidden-title = Vous n’y êtes pas autorisé
problem-forbidden-text = Soit cette action est réservée aux administrateurs et votre compte est celui d’un auditeur, soit le formulaire était trop ancien ou venait d’ailleurs. Revenez en arrière et rechargez la page ; si cela se reproduit, adressez-vous à l’un de vos administrateurs.
problem-method-title = Cela n’est pas possible ici
problem-method-text = Cette adresse existe, mais pas pour ce qui lui a été demandé.
problem-large-title = C’était trop
problem-large-text = Le formulaire contient plus que ce que nous acceptons. Raccourcissez-le et renvoyez-le.
problem-unavailable-title = Pas pour le moment
problem-unavailable-text = Un service dont cette page a besoin ne répond pas. Rien n’a été modifié. Réessayez dans une minute.
problem-failed-title = Un problème est survenu de notre côté
problem-failed-text = Réessayez. Si cela se reproduit, communiquez le numéro ci-dessous à notre assistance.
problem-request = Demande { $id }

### Mails to administrators.

mail-invitation-subject = Vous êtes invité à administrer { $company } dans TimeClock 365
mail-invitation-text = Vous êtes invité à administrer { $company } dans TimeClock 365. Vous vous connecterez avec { $email }.
mail-invitation-ends = Le lien ci-dessous peut être utilisé une fois, dans les sept jours. Quiconque le possède peut devenir cet administrateur : ne transférez pas cet e-mail.
mail-invitation-link = Accepter l’invitation

notice-expiring-subject = { $company } : le jeton ou le secret pour Entra expire dans { $days ->
    [one] { $days } jour
   *[other] { $days } jours
  }
notice-expiring-text = Dans { $days ->
    [one] { $days } jour
   *[other] { $days } jours
  }, un jeton ou un secret avec lequel Entra approvisionne { $company } expire et Entra sera refusé. Créez-en un nouveau et saisissez-le dans Entra ; l’ancien continue de fonctionner entre-temps.
notice-ended-subject = { $company } : plus aucun jeton ni secret ne fonctionne pour Entra
notice-ended-text = Le dernier jeton ou secret avec lequel Entra approvisionne { $company } a expiré ou a été révoqué, et Entra est refusé. D’ici là, les arrivées et les départs ne sont pas pris en compte. Créez-en un nouveau et saisissez-le dans Entra.
notice-certificate-subject = { $company } : le certificat de l’authentification unique expire dans { $days ->
    [one] { $days } jour
   *[other] { $days } jours
  }
notice-certificate-text = Dans { $days ->
    [one] { $days } jour
   *[other] { $days } jours
  }, le certificat avec lequel le fournisseur d’identité de { $company } signe expire, et plus personne ne peut se connecter avec lui. Créez-en un nouveau et activez-le dans votre fournisseur d’identité. Si vous avez collé ses métadonnées en XML, collez-les à nouveau.
notice-warning-subject = { $company } : l’approvisionnement a des problèmes
notice-warning-text = Une partie de ce qu’Entra demande pour { $company } échoue. Si cela continue, Entra ralentira ou s’arrêtera.
notice-critical-subject = { $company } : l’approvisionnement est sur le point de s’arrêter
notice-critical-text = Tant de demandes d’Entra pour { $company } échouent qu’Entra est sur le point de mettre la tâche en quarantaine, ou l’a fait. Les arrivées et les départs ne sont alors plus pris en compte.
notice-refused-subject = { $company } : Entra est refusé
notice-refused-text = Entra appelle pour { $company } avec un jeton ou un secret expiré ou révoqué, et est refusé ; il mettra la tâche en quarantaine. D’ici là, les arrivées et les départs ne sont pas pris en compte. Ouvrez la console, copiez le jeton actuel ou créez-en un nouveau, saisissez-le dans Entra et choisissez Tester la connexion.
notice-silent-subject = { $company } : Entra n’appelle plus
notice-silent-text = Entra n’a pas appelé pour { $company } depuis plusieurs cycles. Vérifiez dans Entra que l’approvisionnement est toujours activé.
notice-recovered-subject = { $company } : l’approvisionnement fonctionne à nouveau
notice-recovered-text = Ce qu’Entra demande pour { $company } est de nouveau fait. Il n’y a rien à faire.
notice-why = Vous recevez cet avis parce que vous êtes administrateur et que vous souhaitez les avis. Vous pouvez les désactiver dans votre compte.
notice-link = Ouvrir la console

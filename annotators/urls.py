from django.urls import path

from annotators import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("welcome/<str:token>/", views.welcome, name="welcome"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
    path("password/reset/", views.password_reset, name="password_reset"),
    path("password/reset/sent/", views.password_reset_done, name="password_reset_done"),
    path(
        "password/reset/<uidb64>/<token>/",
        views.password_reset_confirm,
        name="password_reset_confirm",
    ),
    path("password/reset/done/", views.password_reset_complete, name="password_reset_complete"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", views.password_change, name="password_change"),
    path("profile/keys/", views.own_keys, name="own_keys"),
    path("theme/", views.set_theme, name="set_theme"),
    path("jobs/<int:job_id>/members/", views.members, name="members"),
    path("jobs/<int:job_id>/members/<int:member_id>/role/", views.member_role, name="member_role"),
    path(
        "jobs/<int:job_id>/members/<int:member_id>/remove/",
        views.member_remove,
        name="member_remove",
    ),
    path(
        "jobs/<int:job_id>/invitations/<int:invitation_id>/revoke/",
        views.invitation_revoke,
        name="invitation_revoke",
    ),
]

/** Pages for members. Code order is the guard: everything below the check of `user` is for logged-in visitors. */
import { html, match, type Request, Response } from 'filrouge';
import { page, timeOf } from './layout.ts';
import { sessions, type Visitor } from './sessions.ts';

export function members(request: Request): Response | undefined {
  if (match(request, 'GET /login')) return userOf(request) === undefined ? loginPage() : Response.redirect('/members').withNoCache();
  if (!request.withoutPrefix('/members')) return undefined;

  const session = sessions.open(request);
  const { user, since = '', looks = 0 } = session.data;
  if (user === undefined) return Response.redirect('/login').withNoCache();

  if (match(request, 'GET /members')) {
    session.data.looks = looks + 1;
    return session.save(membersPage({ user, since, looks: looks + 1 })).withNoCache(); // after the logout, the back button must not show it
  }
  if (match(request, 'POST /members/logout')) {
    session.destroy();
    return session.save(Response.redirect('/login'));
  }
  return undefined;
}

/** The name of the logged-in visitor. */
export function userOf(request: Request): string | undefined {
  return sessions.open(request).data.user;
}

export function loginPage(problem?: string): Response {
  return page(
    'Members',
    html`
      <h1>Members</h1>
      <p class="lead">Say <kbd>ada</kbd> and <kbd>lovelace</kbd>, or <kbd>grace</kbd> and <kbd>hopper</kbd>. Five attempts a minute are enough for anybody.</p>
      <form class="narrow" method="post" action="/login">
        ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
        <label>Name <input name="name" autocomplete="username" autocapitalize="none" required autofocus /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="button">Log in</button>
      </form>`,
  );
}

function membersPage({ user, since, looks }: Visitor): Response {
  return page(
    'Members',
    html`
      <h1>Hello, ${user}.</h1>
      <p class="lead">Only members see this. Who you are travels in a cookie that is sealed: neither you nor a script can read or change it, and each worker can open it.</p>
      <table>
        <tr><th>Logged in</th><td>${timeOf(since)}</td></tr>
        <tr><th>Looked at this page</th><td>${looks === 1 ? 'once' : `${looks} times`}</td></tr>
        <tr><th>Answered by</th><td>process ${process.pid}</td></tr>
      </table>
      <p>In the <a href="/chat">chat</a> you go by your name.</p>
      <form method="post" action="/members/logout"><button class="button">Log out</button></form>`,
  );
}

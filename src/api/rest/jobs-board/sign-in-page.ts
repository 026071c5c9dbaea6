/** The page that asks a browser for its key. Without scripts, and with nothing from another site. */
export const signInPage = (why?: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Jobs of TARL OS</title>
    <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 15vh auto; padding: 0 1rem; color: #1c2530; }
      label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
      input, button { margin-top: .5rem; padding: .5rem .75rem; }
      [role=alert] { color: #a12020; }
    </style>
  </head>
  <body>
    <h1>Jobs</h1>
    ${why === undefined ? '' : `<p role="alert">${escaped(why)}</p>`}
    <form method="post" action="/jobs/sign-in">
      <label for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="current-password" required autofocus />
      <button>Sign in</button>
    </form>
  </body>
</html>
`;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

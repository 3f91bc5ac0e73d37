/** Where the demo keeps what visitors leave here: DEMO_FOLDER, or a folder in the system's temporary folder. All workers share it. */
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

export const FOLDER: string = process.env['DEMO_FOLDER'] ?? join(tmpdir(), `filrouge-demo-${userInfo().username}`);

mkdirSync(FOLDER, { recursive: true, mode: 0o700 });

import { version } from '../../package.json'

/** Version of this program, as package.json has it: in every file it writes. */
export const VERSION: string = version

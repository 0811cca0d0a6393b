import { version } from '../../package.json'

/** Written in by the build; absent where the sources run as they are. */
declare const __COMMIT__: string | undefined

/** Version of this program, as package.json has it: in every file it writes. */
export const VERSION: string = version

/** The commit it was built from, with "+" after it where files had been changed since; '' where that is not known. */
export const COMMIT: string = typeof __COMMIT__ === 'string' ? __COMMIT__ : ''

/** Version and commit in words. */
export const VERSION_TEXT: string = COMMIT === '' ? VERSION : `${VERSION} (${COMMIT})`

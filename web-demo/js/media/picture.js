/* picture.js - a picture as a cover: a square, small enough to be one value of the graph. */

const urlMax = 49_000; /* covers.js takes under 50,000 */
const edges = [560, 480, 400, 320, 240, 160];
const qualities = [0.84, 0.72, 0.6];

/** A `data:image/jpeg` of the middle of any picture that the browser can draw; throws when it is none. */
export async function coverOf(file)
{
    let picture;
    try {
        picture = await createImageBitmap(file);
    } catch {
        throw new Error('This is no picture that the browser can read.');
    }
    const side = Math.min(picture.width, picture.height), canvas = document.createElement('canvas');
    try {
        for (const edge of edges) {
            canvas.width = canvas.height = Math.min(edge, side);
            const pen = canvas.getContext('2d');
            pen.imageSmoothingQuality = 'high';
            pen.fillStyle = '#1a1512'; /* under what is transparent */
            pen.fillRect(0, 0, canvas.width, canvas.height);
            pen.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
            for (const quality of qualities) {
                const url = canvas.toDataURL('image/jpeg', quality);
                if (url.length <= urlMax) return url;
            }
        }
    } finally {
        picture.close();
    }
    throw new Error('This picture does not get small enough.');
}
